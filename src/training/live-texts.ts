import { endToken } from "../checkpoints/embeddings/embed.ts";
import type { LoadedTextModel, TextEmbedding } from "../diffusion/text-encoding.ts";
import { Graph } from "../graph/graph.ts";
import { clipEosRows } from "../models/clip/text.ts";
import { rootScope } from "../nn/scope.ts";
import { compile, type Parameters } from "../runtime/compile.ts";
import { assemble, type Resource } from "../runtime/resources.ts";
import type { SessionOptions } from "../runtime/session-options.ts";
import { float32, int32, stack, zeros, type Float32Tensor } from "../tensor/tensor.ts";
import { partsOf } from "../text/parts.ts";
import { readPlain } from "../text/prompt-weights.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import type { Embeddings } from "./image-sampler.ts";
import type { RunText, TextInputs } from "./run-text.ts";
import { inputsOf, putTexts, startInputsOf, textWeights, vectorsOf, type TrainedTexts } from "./trained-texts.ts";

/** How many parts a text has: as many as the text encoder has that needs most. */
export function partsOfTexts(trained: TrainedTexts): (text: string) => number {
  const readers = trained.encoders.map((encoder, i) => readerOf(trained, encoder, i));
  return (text) => Math.max(...readers.map((reader) => partsOf(reader, readPlain(text)).length));
}

/** A text encoder's tokenizer with the words that train, if any do, whose ids come behind all that its table has. */
function readerOf(trained: TrainedTexts, { tokenizer, config }: LoadedTextModel, i: number): Tokenizer {
  const { words } = trained;
  const vectors = vectorsOf(trained, i);
  if (words === undefined || vectors === undefined) return tokenizer;
  const count = vectors[0] / words.length;
  const idsOf = (w: number) => Array.from({ length: count }, (_, k) => config.vocabularySize + w * count + k);
  return tokenizer.withWords(words.map((word, w) => ({ word, ids: idsOf(w) })));
}

/** A text encoder's table of vectors by id, [ids, D]. */
export function tableOf({ weights, name }: LoadedTextModel): Float32Tensor {
  for (const [key, tensor] of weights)
    if (/(^|\.)token_embedding\.weight$/.test(key) && tensor.dtype === "float32") return tensor;
  throw new Error(`${name ?? "the text encoder"} has no table of tokens`);
}

/**
 * Texts as inputs of graphs.
 * @param textLength of all of them, in tokens
 */
export function textInputs(trained: TrainedTexts, textLength: number): (text: string) => TextInputs {
  const readers = trained.encoders.map((encoder, i) => ({
    ...encoder,
    table: tableOf(encoder),
    end: { eosTokenId: endToken(encoder) },
    count: vectorsOf(trained, i)?.[0],
    reader: readerOf(trained, encoder, i),
  }));
  const read = (text: string): Fed[] =>
    readers.map(({ table, reader, config, end, count, projected }) => {
      const { length } = reader;
      const { hiddenSize, vocabularySize } = config;
      const parts = partsOf(reader, readPlain(text)).map(({ ids }) => ids);
      const rows = textLength / length;
      while (parts.length < rows) parts.push(reader.encode("").ids);
      const tokens = zeros([rows, length, hiddenSize]);
      const slots = count === undefined ? undefined : zeros([rows, length, count]);
      for (const [row, ids] of parts.entries())
        for (const [at, id] of ids.entries()) {
          const place = row * length + at;
          if (slots !== undefined && id >= vocabularySize) slots.data[place * slots.shape[2] + id - vocabularySize] = 1;
          else tokens.data.set(table.data.subarray(id * hiddenSize, (id + 1) * hiddenSize), place * hiddenSize);
        }
      if (!projected) return { tokens, slots, end: undefined };
      const ends = zeros([rows, length]);
      ends.data[clipEosRows(int32(parts[0], [1, length]), end).data[0]] = 1;
      return { tokens, slots, end: ends };
    });
  // made anew each time: those of a text are as large as its embedding, and a run may have a text for each of many photos
  return (text) => ({
    isTrained: trained.lora !== undefined || read(text).some(({ slots }) => slots?.data.includes(1)),
    feeds: (name) => Object.fromEntries(read(text).flatMap((fed, i) => namedFeeds(name, i, fed))),
  });
}

/** What one text encoder is fed of a text. */
interface Fed {
  readonly tokens: Float32Tensor;
  readonly slots: Float32Tensor | undefined;
  readonly end: Float32Tensor | undefined;
}

function namedFeeds(name: string, encoder: number, { tokens, slots, end }: Fed): [string, Float32Tensor][] {
  const names = inputsOf(name, encoder);
  return [
    [names.tokens, tokens],
    ...(slots === undefined ? [] : [[names.slots, slots] satisfies [string, Float32Tensor]]),
    ...(end === undefined ? [] : [[names.end, end] satisfies [string, Float32Tensor]]),
  ];
}

/** The embeddings of a run's texts by what trains of the text encoders: those that it changes are computed again when they are asked to be. */
export interface LiveTexts extends Embeddings, Resource {
  readonly refresh: NonNullable<Embeddings["refresh"]>;
}

/**
 * Opened before a run's state is loaded: the text encoders are as they began then.
 * @param texts all that a run reads
 * @param options.parameters the word's vectors, or the LoRA's matrices, as they train, in their place
 */
export async function openLiveTexts(
  trained: TrainedTexts,
  texts: readonly string[],
  { parameters, ...session }: SessionOptions & { readonly parameters: Parameters },
): Promise<LiveTexts> {
  const length = trained.encoders[0].tokenizer.length * Math.max(...texts.map(partsOfTexts(trained)));
  const inputs = textInputs(trained, length);
  return assemble(async (own, release) => {
    const { states, pooled } = putTexts(trained, rootScope(new Graph()), "text", { batch: 1, textLength: length });
    const outputs = { states, ...(pooled !== undefined && { pooled }) };
    const all = new Map([...parameters, ...textWeights(trained)]);
    const graph = own(await compile<string>(outputs, { ...session, parameters: all }));
    const known = new Map<string, RunText & { readonly inputs: TextInputs }>();
    const read = async (fed: TextInputs): Promise<TextEmbedding> => {
      const out = await graph.run(fed.feeds("text"));
      const of = (name: string) => float32(Float32Array.from(out[name].data), out[name].shape.slice(1));
      return { states: of("states"), pooled: pooled && of("pooled") };
    };
    for (const text of new Set(texts)) {
      const fed = inputs(text);
      const start = await read(fed);
      known.set(text, { ...start, inputs: trained.lora === undefined ? fed : withStart(fed, start) });
    }
    return {
      length,
      of(text) {
        const embedding = known.get(text);
        if (embedding === undefined) throw new Error(`no embedding of "${text}"`);
        return embedding;
      },
      async refresh(wanted) {
        for (const text of wanted) {
          const fed = known.get(text)?.inputs;
          if (fed?.isTrained === true) known.set(text, { ...(await read(fed)), inputs: fed });
        }
      },
      release,
    };
  });
}

/** A text's inputs with what the text encoders made of it as they began. */
function withStart(fed: TextInputs, { states, pooled }: TextEmbedding): TextInputs {
  return {
    ...fed,
    feeds(name) {
      const start = startInputsOf(name);
      return {
        ...fed.feeds(name),
        [start.states]: stack([states]),
        ...(pooled !== undefined && { [start.pooled]: stack([pooled]) }),
      };
    },
  };
}
