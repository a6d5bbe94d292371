import { openAlign, type ImageTextEncoderPart } from "../checkpoints/encoders.ts";
import { fingerprint, sha256 } from "../checkpoints/hashes.ts";
import { openStableDiffusion, type StableDiffusion } from "../checkpoints/stable-diffusion.ts";
import { noiseSchedule } from "../diffusion/schedule.ts";
import { checkDrawable } from "../diffusion/text-to-image.ts";
import { pixelsPerLatent } from "../models/vae/config.ts";
import type { AlignConfig } from "../models/align/config.ts";
import { RUNTIME_VERSION } from "../runtime/ort.ts";
import { UsageError } from "../tensor/errors.ts";
import { VERSION } from "../tensor/version.ts";
import type { RunControl } from "./events.ts";
import type { Photo } from "./photos.ts";
import type { Provenance } from "./run-config.ts";
import { DEFAULT_LEARNING_RATE, type TrainRequest, type TrainSettings } from "./settings.ts";

/** The checkpoints of a run, with their configurations and headers checked, and no weights read yet. */
export interface OpenedModels {
  readonly diffusion: StableDiffusion;
  readonly reward: ImageTextEncoderPart<AlignConfig>;
}

/** @throws ModelError on damaged or unsupported folders */
export async function openModels({ model, reward }: TrainRequest, control: RunControl): Promise<OpenedModels> {
  const warn = (text: string) => control.emit({ type: "warning", text });
  const diffusion = await openStableDiffusion(model, { warn });
  return { diffusion, reward: await openAlign(reward, { warn }) };
}

/**
 * Fills in what the model decides.
 * @throws UsageError when the resolution or the sampler's steps do not fit the model, ModelError when its scheduler cannot be used
 */
export function resolveSettings(request: TrainRequest, { vae, scheduler, resolution }: StableDiffusion): TrainSettings {
  const side = request.resolution ?? resolution;
  noiseSchedule(scheduler);
  const factor = pixelsPerLatent(vae.config);
  if (side % factor !== 0)
    throw new UsageError(`--resolution ${side}: expected a multiple of ${factor} for this model`);
  checkDrawable(
    { height: side, width: side, sampler: request.sampler, steps: request.validationSteps },
    { vae: vae.config, scheduler },
  );
  return { ...request, resolution: side, learningRate: request.learningRate ?? DEFAULT_LEARNING_RATE[request.adapter] };
}

/**
 * What config.json records of where a run comes from.
 * @param prompts the file of prompts, if there is one
 */
export async function provenanceOf(
  { diffusion, reward }: OpenedModels,
  photos: readonly Photo[],
  prompts: string | undefined,
): Promise<Provenance> {
  const hashes: Record<string, string> = {};
  const parts = [diffusion.unet, diffusion.vae, ...diffusion.textEncoders, reward];
  for (const { path } of parts.flatMap(({ files }) => files)) hashes[path] = await fingerprint(path);
  for (const { path } of photos) hashes[path] = await sha256(path);
  if (prompts !== undefined) hashes[prompts] = await sha256(prompts);
  return {
    versions: {
      rpo: VERSION,
      node: process.version,
      onnxruntime: RUNTIME_VERSION,
      platform: `${process.platform} ${process.arch}`,
    },
    hashes,
  };
}
