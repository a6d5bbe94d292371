import { createTextEncoder, type LoadedTextModel, type TextEncoder } from "../diffusion/text-encoding.ts";
import type { SessionOptions } from "../runtime/session-options.ts";
import type { Float32Tensor } from "../tensor/tensor.ts";
import { withEmbeddings } from "./embeddings/embed.ts";
import type { Embedding } from "./embeddings/fit.ts";
import { TEXT_PARTS } from "./lora-files/keys.ts";
import { whereOf } from "./part.ts";
import type { StableDiffusion } from "./stable-diffusion.ts";

/** Weights of a text encoder as they are to be used, from those of the checkpoint. */
export type AdaptText = (
  weights: ReadonlyMap<string, Float32Tensor>,
  part: (typeof TEXT_PARTS)[number],
) => Promise<ReadonlyMap<string, Float32Tensor>>;

/** What is done to text encoders before they are used. Default: nothing. */
export interface TextChanges {
  readonly adapt?: AdaptText;
  /** Words with vectors of their own. */
  readonly embeddings?: readonly Embedding[];
}

/** Loads a checkpoint's text encoders and compiles them. @throws ModelError when their weights are damaged */
export async function openTextEncoder(
  model: Pick<StableDiffusion, "textEncoders" | "zerosWithoutNegative">,
  session: SessionOptions,
  changes: TextChanges = {},
): Promise<TextEncoder> {
  const models = await loadTextModels(model, changes);
  return createTextEncoder({ models, zerosWithoutNegative: model.zerosWithoutNegative, session });
}

/** Reads a checkpoint's text encoders. @throws ModelError when their weights are damaged */
export async function loadTextModels(
  { textEncoders }: Pick<StableDiffusion, "textEncoders">,
  { adapt = (weights) => Promise.resolve(weights), embeddings = [] }: TextChanges = {},
): Promise<LoadedTextModel[]> {
  const models: LoadedTextModel[] = [];
  for (const [i, part] of textEncoders.entries()) {
    const weights = await adapt(await part.load(), TEXT_PARTS[i]);
    models.push(withEmbeddings({ ...part, name: whereOf(part), weights }, embeddings, i));
  }
  return models;
}
