import { join } from "node:path";
import { z } from "zod";
import { ModelError } from "../system/errors.ts";
import { say, setting } from "../system/message.ts";
import { copyText, exists, makeFolder, writeFileAtomic } from "../system/files.ts";
import { writeSafetensors } from "../tensor/safetensors.ts";
import type { Float32Tensor } from "../tensor/tensor.ts";
import type { BytePairVocabulary } from "../text/clip.ts";
import { copyJson } from "./json-text.ts";
import { schedulerFile } from "./pipeline-config.ts";
import type { StableDiffusion } from "./stable-diffusion.ts";

export type Precision = "F32" | "F16";

export interface WritePipelineOptions {
  readonly dtype: Precision;
  /** Told before each of the models is written. */
  readonly onPart?: (done: number, total: number) => void;
  /** Changes the text encoders' weights, each by its place. Default: as they are. */
  readonly adaptText?: (
    weights: ReadonlyMap<string, Float32Tensor>,
    place: number,
  ) => Promise<ReadonlyMap<string, Float32Tensor>>;
}

/**
 * Writes a whole pipeline as a diffusers folder, with another U-Net's weights: `StableDiffusionPipeline.from_pretrained(folder)`.
 *
 * Configuration is copied from the model; a safety checker and what else the pipeline may have is left out. model_index.json comes
 * last, so that a folder that has it is whole.
 *
 * @param unet the U-Net's weights by diffusers' names
 * @throws ModelError when a number is too large for the precision
 */
export async function writePipeline(
  folder: string,
  model: StableDiffusion,
  unet: ReadonlyMap<string, Float32Tensor>,
  { dtype, onPart, adaptText = (weights) => Promise.resolve(weights) }: WritePipelineOptions,
): Promise<void> {
  const { configFolder, textEncoders } = model;
  const total = textEncoders.length + 2;
  const write = async (part: string, stem: string, weights: ReadonlyMap<string, Float32Tensor>) =>
    writeWeights(join(folder, part, `${stem}.safetensors`), weights, dtype);

  for (const [i, encoder] of textEncoders.entries()) {
    onPart?.(i, total);
    const [name, tokenizer] = TEXT_FOLDERS[i];
    await copyConfig(configFolder, folder, name, { torch_dtype: dtype === "F16" ? "float16" : "float32" });
    await copyTokenizer(join(configFolder, tokenizer), join(folder, tokenizer), model.vocabulary);
    const weights = await adaptText(await encoder.load(), i);
    // transformers before version 5 finds a text model's weights by this prefix alone
    const names = [...weights].map(([key, tensor]) => [encoder.projected ? key : `text_model.${key}`, tensor] as const);
    await write(name, "model", new Map(names));
  }
  onPart?.(total - 2, total);
  await copyConfig(configFolder, folder, "vae", {}, model.changes.vae);
  await write("vae", "diffusion_pytorch_model", await model.vae.load());
  onPart?.(total - 1, total);
  await copyConfig(configFolder, folder, "unet");
  await write("unet", "diffusion_pytorch_model", unet);
  await makeFolder(join(folder, "scheduler"));
  const [scheduler, written] = [await schedulerFile(configFolder), join(folder, "scheduler", "scheduler_config.json")];
  const { scheduler: changes } = model.changes;
  if (Object.keys(changes).length === 0) await copyText(scheduler, written);
  else await copyJson(scheduler, written, (config) => ({ ...config, ...changes }));
  const index = "model_index.json";
  await copyJson(join(configFolder, index), join(folder, index), withoutExtras);
  onPart?.(total, total);
}

/** Writes float32 weights. @throws ModelError when a number would become infinite */
export async function writeWeights(
  path: string,
  weights: ReadonlyMap<string, Float32Tensor>,
  dtype: Precision,
): Promise<void> {
  checkRange(path, weights, dtype);
  await writeSafetensors(
    path,
    [...weights].map(([name, tensor]) => ({ name, tensor })),
    { dtype },
  );
}

/** Where F16's rounding gives infinity. */
const TOO_LARGE = 65_520;

/** @throws ModelError when a number is too large for the precision */
export function checkRange(where: string, weights: ReadonlyMap<string, Float32Tensor>, dtype: Precision): void {
  if (dtype === "F32") return;
  for (const [name, { data }] of weights)
    if (data.some((x) => Math.abs(x) >= TOO_LARGE))
      throw new ModelError(
        say`${where}: ${name} holds numbers above 65504, which F16 cannot: write F32 (${setting("dtype", "f32")})`,
      );
}

const TEXT_FOLDERS = [
  ["text_encoder", "tokenizer"],
  ["text_encoder_2", "tokenizer_2"],
] as const;

async function copyConfig(
  from: string,
  to: string,
  part: string,
  changes: Readonly<Record<string, unknown>> = {},
  file = join(from, part, "config.json"),
): Promise<void> {
  await makeFolder(join(to, part));
  await copyJson(file, join(to, part, "config.json"), (config) => {
    // the first is where the folder once lay on somebody's disk; the second is transformers 5's name for the precision, which goes first
    const kept = Object.entries(config).filter(([key]) => key !== "_name_or_path" && key !== "dtype");
    return { ...Object.fromEntries(kept), ...changes };
  });
}

const TOKENIZER_FILES = [
  "tokenizer.json",
  "vocab.json",
  "merges.txt",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
];

async function copyTokenizer(from: string, to: string, vocabulary: BytePairVocabulary | undefined): Promise<void> {
  await makeFolder(to);
  for (const name of TOKENIZER_FILES)
    if (await exists(join(from, name))) await copyText(join(from, name), join(to, name));
  if (vocabulary === undefined) return;
  await writeFileAtomic(join(to, "vocab.json"), JSON.stringify(vocabulary.ids));
  const merges = vocabulary.merges.map((pair) => `${pair.join(" ")}\n`).join("");
  await writeFileAtomic(join(to, "merges.txt"), `#version: 0.2\n${merges}`);
}

const component = z.tuple([z.string().nullable(), z.string().nullable()]);
const KEPT = /^(unet|vae|scheduler|(text_encoder|tokenizer)(_2)?)$/;

/** A model_index.json whose parts are those that are written. */
function withoutExtras(index: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const entries = Object.entries(index).map(([key, value]): [string, unknown] => {
    if (key === "requires_safety_checker") return [key, false];
    return [key, component.safeParse(value).success && !KEPT.test(key) ? [null, null] : value];
  });
  return Object.fromEntries(entries.filter(([key]) => key !== "_name_or_path"));
}
