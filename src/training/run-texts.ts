import type { StableDiffusion } from "../checkpoints/stable-diffusion.ts";
import { loadTextModels, openTextEncoder } from "../checkpoints/text-encoder.ts";
import { longPromptNote } from "../diffusion/prompt-embeddings.ts";
import type { LoadedTextModel, TextEncoder } from "../diffusion/text-encoding.ts";
import type { Parameters } from "../runtime/compile.ts";
import { withResources, type Own } from "../runtime/resources.ts";
import type { SessionOptions } from "../runtime/session-options.ts";
import type { Embeddings } from "./image-sampler.ts";
import { openLiveTexts, partsOfTexts } from "./live-texts.ts";
import type { TrainedTexts } from "./trained-texts.ts";

/** How the texts of a run are read: once, before the first step, or again and again by text encoders of which something trains. */
export interface TextReading {
  /** Tokens of every text. */
  readonly length: number;
  /** What trains of it. */
  readonly trained: TrainedTexts | undefined;
  /** @param policy the weights as they train */
  open(own: Own, policy: Parameters): Promise<Embeddings>;
}

export interface ReadingOptions {
  readonly session: SessionOptions;
  readonly warn: (text: string) => void;
  /** What trains of the text encoders; undefined: nothing. */
  readonly train?: ((encoders: readonly LoadedTextModel[]) => TrainedTexts) | undefined;
}

/** Reads all texts of a run. */
export async function readTexts(
  model: StableDiffusion,
  texts: readonly string[],
  { session, warn, train }: ReadingOptions,
): Promise<TextReading> {
  if (train === undefined) {
    const embeddings = await embedAll(model, texts, session, warn);
    return { length: embeddings.length, trained: undefined, open: () => Promise.resolve(embeddings) };
  }
  const trained = train(await loadTextModels(model));
  const { length: partLength } = trained.encoders[0].tokenizer;
  const long = longPromptNote({ partLength, partsOf: partsOfTexts(trained) }, texts);
  if (long !== undefined) warn(long);
  return {
    length: partLength * Math.max(...texts.map(partsOfTexts(trained))),
    trained,
    open: async (own, parameters) => own(await openLiveTexts(trained, texts, { ...session, parameters })),
  };
}

/** Embeds all texts of the run, and lets the text encoder go. */
export async function embedAll(
  model: StableDiffusion,
  texts: readonly string[],
  session: SessionOptions,
  warn: (text: string) => void,
): Promise<Embeddings> {
  return withResources(async (own) => {
    const encoder = own(await openTextEncoder(model, session));
    const long = longPromptNote(encoder, texts);
    if (long !== undefined) warn(long);
    return embedWith(encoder, texts);
  });
}

/** The embeddings of texts that are read at once by graphs of one length. */
export async function embedWith(encoder: TextEncoder, texts: readonly string[]): Promise<Embeddings> {
  const encoded = await encoder.encode(texts, { parts: Math.max(...texts.map((text) => encoder.partsOf(text))) });
  const known = new Map(texts.map((text, i) => [text, encoded[i]]));
  return {
    length: encoded[0].states.shape[0],
    of(text) {
      const embedding = known.get(text);
      if (embedding === undefined) throw new Error(`no embedding of "${text}"`);
      return embedding;
    },
  };
}
