import { join } from "node:path";
import { makeFolder, writeJson } from "../system/files.ts";
import { writeSafetensors } from "../tensor/safetensors.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { DENOISER_PARTS } from "./denoiser.ts";
import type { Weights } from "./loop.ts";
import { SCHEDULER_CONFIG, TEXT_CONFIG, TEXT_LENGTH, UNET_CONFIG, VAE_CONFIG } from "./recipes.ts";
import { specialIds, writeClipTokenizer, type BytePairs } from "./tokenizer.ts";

/** The oldest diffusers whose files these are. */
const DIFFUSERS_VERSION = "0.30.0";

const MODEL_INDEX = {
  _class_name: "StableDiffusionPipeline",
  _diffusers_version: DIFFUSERS_VERSION,
  feature_extractor: [null, null],
  image_encoder: [null, null],
  requires_safety_checker: false,
  safety_checker: [null, null],
  scheduler: ["diffusers", "DDIMScheduler"],
  text_encoder: ["transformers", "CLIPTextModel"],
  tokenizer: ["transformers", "CLIPTokenizer"],
  unet: ["diffusers", "UNet2DConditionModel"],
  vae: ["diffusers", "AutoencoderKL"],
} as const;

export interface DiffusionFolder {
  readonly vae: Weights;
  /** Of the denoiser's course: U-Net and text encoder. */
  readonly denoiser: Weights;
  readonly scalingFactor: number;
  readonly tokenizer: BytePairs;
}

/** Writes a Stable Diffusion folder as diffusers does, its weights in F16. */
export async function writeDiffusionFolder(folder: string, model: DiffusionFolder): Promise<void> {
  const part = async (name: string, config: object, file: string, weights: Weights): Promise<void> => {
    await makeFolder(join(folder, name));
    await writeJson(join(folder, name, "config.json"), config);
    await writeHalves(join(folder, name, file), weights);
  };
  await makeFolder(join(folder, "scheduler"));
  await writeJson(join(folder, "scheduler", "scheduler_config.json"), {
    ...SCHEDULER_CONFIG,
    _diffusers_version: DIFFUSERS_VERSION,
  });
  const diffusers = { _diffusers_version: DIFFUSERS_VERSION };
  const file = "diffusion_pytorch_model.safetensors";
  const vae = { ...VAE_CONFIG, ...diffusers, scaling_factor: model.scalingFactor };
  await part("vae", vae, file, model.vae);
  await part("unet", { ...UNET_CONFIG, ...diffusers }, file, scopeOf(model.denoiser, DENOISER_PARTS.unet));
  const text = { ...TEXT_CONFIG, ...specialIds(model.tokenizer) };
  await part("text_encoder", text, "model.safetensors", scopeOf(model.denoiser, DENOISER_PARTS.text));
  await writeClipTokenizer(join(folder, "tokenizer"), model.tokenizer, TEXT_LENGTH);
  await writeJson(join(folder, "model_index.json"), MODEL_INDEX);
}

/** Weights rounded to F16: what the files hold, and what figures must be measured with. Counters stay integers. */
export async function writeHalves(path: string, weights: ReadonlyMap<string, Tensor>): Promise<void> {
  await writeSafetensors(
    path,
    [...weights].map(([name, tensor]) => ({ name, tensor })),
    { dtype: "F16" },
  );
}

/** The parameters below a prefix, without it. */
function scopeOf(weights: Weights, prefix: string): Weights {
  return new Map(
    [...weights].flatMap(([name, tensor]) =>
      name.startsWith(`${prefix}.`) ? [[name.slice(prefix.length + 1), tensor] as const] : [],
    ),
  );
}
