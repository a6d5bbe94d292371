import { readCrossAttention, writeCrossAttention } from "../../checkpoints/cross-attention.ts";
import type { Embedding } from "../../checkpoints/embeddings/fit.ts";
import { readWord } from "../../checkpoints/embeddings/read.ts";
import { writeNumberedWord } from "../../checkpoints/embeddings/word-files.ts";
import { openStableDiffusion, type StableDiffusion } from "../../checkpoints/stable-diffusion.ts";
import { loadTextModels } from "../../checkpoints/text-encoder.ts";
import { createTextEncoder } from "../../diffusion/text-encoding.ts";
import { ModelError, UsageError } from "../../system/errors.ts";
import { say, setting } from "../../system/message.ts";
import { makeFolder } from "../../system/files.ts";
import type { WorkControl, WorkEvent } from "../../system/work.ts";
import type { Float32Tensor } from "../../tensor/tensor.ts";
import { intoPlace } from "../into-place.ts";
import { checkAbsent } from "../paths.ts";
import { mergeConstrained, Unsolvable, type Concept } from "./constrained.ts";
import { tokenFeatures } from "./features.ts";
import { originOf } from "./origin.ts";
import type { MergedConcept, MergeSettings } from "./settings.ts";
import type { Message } from "../../system/named-setting.ts";

export type MergeEvent = WorkEvent<"encoding" | "merging">;

export interface MergeResult {
  readonly output: string;
  /** What stands for each subject in prompts, with its class. */
  readonly words: readonly string[];
}

/**
 * Merges trainings of Custom Diffusion, without training: keys and values that give each subject's texts what its own training gives them, and
 * are otherwise as near to the model's as can be. Nothing is left behind when it fails.
 * @throws UsageError when the output is taken or the captions are too few, ModelError for checkpoints that are damaged, of another model, or
 * hold more than keys and values
 */
export async function mergeCheckpoints(
  { concepts, captions, output, threads, ...source }: MergeSettings,
  { emit }: Pick<WorkControl<MergeEvent>, "emit">,
): Promise<MergeResult> {
  await checkAbsent(output);
  const { variant, vae, prediction } = source;
  const warn = (text: Message) => emit({ type: "warning", text });
  const model = await openStableDiffusion(source.model, { variant, vae, prediction, warn });
  const unet = await model.unet.load();
  const own: Map<string, Float32Tensor>[] = [];
  const words: Embedding[] = [];
  for (const { checkpoint, token, word } of concepts) {
    own.push(await readKeysAndValues(checkpoint, unet));
    words.push({ path: checkpoint, word, vectors: (await readWord(checkpoint, model, token)).vectors });
  }
  const names = new Set(own.flatMap((weights) => [...weights.keys()]));
  const base = new Map([...unet].filter(([name]) => names.has(name)));
  const onText = (done: number) => emit({ type: "progress", phase: "encoding", done, total: captions.length });
  const { regularizer, features } = await encode({ model, words, concepts, captions, threads, onText });
  emit({ type: "progress", phase: "merging", done: 0, total: 1 });
  const merged = solve(
    base,
    own.map((weights, i) => ({ weights, features: features[i] })),
    regularizer,
  );
  await intoPlace(output, async (path) => {
    await makeFolder(path);
    for (const [i, { word, vectors }] of words.entries())
      await writeNumberedWord(
        path,
        i + 1,
        word,
        vectors.filter((each) => each !== undefined),
      );
    await writeCrossAttention(path, merged, originOf(concepts));
  });
  emit({ type: "progress", phase: "merging", done: 1, total: 1 });
  return { output, words: concepts.map((concept) => `${concept.word} ${concept.class}`) };
}

/** @throws ModelError for a checkpoint that has more of the attention to texts than keys and values */
async function readKeysAndValues(
  checkpoint: string,
  unet: ReadonlyMap<string, Float32Tensor>,
): Promise<Map<string, Float32Tensor>> {
  const weights = await readCrossAttention(checkpoint, unet);
  for (const name of weights.keys())
    if (!/\.to_[kv]\.weight$/.test(name))
      throw new ModelError(
        `${checkpoint}: holds ${name} too, and only keys and values can be merged; train it without (diffusers: --freeze_model crossattn_kv)`,
      );
  return weights;
}

interface Encoding {
  readonly model: StableDiffusion;
  readonly words: readonly Embedding[];
  readonly concepts: readonly MergedConcept[];
  readonly captions: readonly string[];
  readonly threads: number;
  readonly onText: (done: number) => void;
}

/** What the text encoders, with all words, make of the captions and of each subject's texts. */
async function encode({ model, words, concepts, captions, threads, onText }: Encoding) {
  const models = await loadTextModels(model, { embeddings: words });
  const { zerosWithoutNegative } = model;
  const encoder = await createTextEncoder({ models, zerosWithoutNegative, session: { threads } });
  try {
    const regularizer = await tokenFeatures(captions, encoder, models[0], onText);
    const features: Float32Tensor[] = [];
    for (const { word, class: noun } of concepts)
      features.push(await tokenFeatures([`${word} ${noun}`, `a photo of ${word} ${noun}`], encoder, models[0]));
    return { regularizer, features };
  } finally {
    await encoder.release();
  }
}

function solve(
  base: ReadonlyMap<string, Float32Tensor>,
  concepts: readonly Concept[],
  regularizer: Float32Tensor,
): Map<string, Float32Tensor> {
  try {
    return mergeConstrained(base, concepts, regularizer);
  } catch (error) {
    if (!(error instanceof Unsolvable)) throw error;
    const [rows, width] = regularizer.shape;
    throw error.of === "regularizer"
      ? new UsageError(
          say`${setting("captions")}: its texts have ${rows} tokens, too few or too much alike for features of ${width} numbers; give more, and others`,
        )
      : new UsageError("the subjects' words and classes cannot be told apart by the text encoder; were they trained?");
  }
}
