import { createTextEncoder, type LoadedTextModel, type TextEncoder } from "../diffusion/text-encoding.ts";
import type { SessionOptions } from "../runtime/ort.ts";
import type { StableDiffusion } from "./stable-diffusion.ts";

/** Loads a folder's text encoders and compiles them. @throws ModelError when their weights are damaged */
export async function openTextEncoder(
  { textEncoders, zerosWithoutNegative }: Pick<StableDiffusion, "textEncoders" | "zerosWithoutNegative">,
  session: SessionOptions,
): Promise<TextEncoder> {
  const models: LoadedTextModel[] = [];
  for (const part of textEncoders) models.push({ ...part, weights: await part.load() });
  return createTextEncoder({ models, zerosWithoutNegative, session });
}
