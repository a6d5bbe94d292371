import { join } from "node:path";
import { configurationHash } from "../checkpoints/configuration-hash.ts";
import { openAlign, type ImageTextEncoderPart } from "../checkpoints/encoders.ts";
import { fingerprint, sha256 } from "../checkpoints/hashes.ts";
import { openPhotoEncoder, type PhotoEncoderPart } from "../checkpoints/photo-encoder.ts";
import { openStableDiffusion, type StableDiffusion } from "../checkpoints/stable-diffusion.ts";
import { noiseSchedule } from "../diffusion/schedule.ts";
import { checkDrawable } from "../diffusion/text-to-image.ts";
import { pixelsPerLatent } from "../models/vae/config.ts";
import type { AlignConfig } from "../models/align/config.ts";
import { BACKENDS } from "../runtime/backends/index.ts";
import { workspaceOf } from "../runtime/session-options.ts";
import { UsageError } from "../system/errors.ts";
import { say, setting } from "../system/message.ts";
import { VERSION } from "../system/version.ts";
import type { RunControl } from "../runs/events.ts";
import type { Photo } from "./photos.ts";
import { CONFIGURATION, type Provenance } from "../runs/config.ts";
import {
  defaultLearningRate,
  TRAINING_MODELS,
  type TrainingModel,
  type TrainRequest,
  type TrainSettings,
} from "../settings/train-settings.ts";
import type { Message } from "../system/named-setting.ts";

/** The checkpoints of a run, with their configurations and headers checked, and no weights read yet. */
export interface OpenedModels {
  readonly diffusion: StableDiffusion;
  readonly reward: ImageTextEncoderPart<AlignConfig>;
  /** What reads the photos, where the method learns from that. */
  readonly photoEncoder?: PhotoEncoderPart | undefined;
}

/** @throws ModelError on damaged or unsupported folders */
export async function openModels(
  { model, variant, vae, prediction, reward, imageEncoder }: TrainRequest,
  control: RunControl,
): Promise<OpenedModels> {
  const warn = (text: Message) => control.emit({ type: "warning", text });
  const diffusion = await openStableDiffusion(model, { variant, vae, prediction, warn });
  return {
    diffusion,
    reward: await openAlign(reward, { warn }),
    photoEncoder: imageEncoder === undefined ? undefined : await openPhotoEncoder(imageEncoder, diffusion, { warn }),
  };
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
    throw new UsageError(say`${setting("resolution", side)}: expected a multiple of ${factor} for this model`);
  checkDrawable(
    { height: side, width: side, sampler: request.sampler, steps: request.validationSteps },
    { vae: vae.config, scheduler },
  );
  return { ...request, resolution: side, learningRate: request.learningRate ?? defaultLearningRate(request) };
}

/** What config.json records of where a run comes from. @param beside files that belong to photos: captions, masks @throws UsageError when its device is not there */
export async function provenanceOf(
  { diffusion, reward, photoEncoder }: OpenedModels,
  settings: Pick<TrainSettings, TrainingModel | "prompts" | "device" | "precision" | "memory">,
  photos: readonly Photo[],
  beside: readonly string[] = [],
): Promise<Provenance> {
  const engine = BACKENDS[settings.device];
  engine.check({ precision: settings.precision, workspace: workspaceOf(settings.memory) });
  const hashes: Record<string, string> = {};
  const parts = [
    diffusion.unet,
    diffusion.vae,
    ...diffusion.textEncoders,
    reward,
    ...(photoEncoder === undefined ? [] : [photoEncoder]),
  ];
  for (const { path } of parts.flatMap(({ files }) => files)) hashes[path] = await fingerprint(path);
  for (const folder of TRAINING_MODELS.map((name) => settings[name])) {
    if (folder === undefined) continue;
    const configuration = await configurationHash(folder);
    if (configuration !== undefined) hashes[join(folder, CONFIGURATION)] = configuration;
  }
  for (const photo of photos) hashes[photo.path] = photo.sha256;
  for (const path of beside) hashes[path] ??= await sha256(path);
  const { prompts } = settings;
  if (prompts !== undefined) hashes[prompts] = await sha256(prompts);
  return {
    versions: versionsOf(settings),
    hashes,
  };
}

/** The same of a run that draws with no model. */
export async function provenanceOfReward(
  reward: OpenedModels["reward"],
  settings: Pick<TrainSettings, "reward" | "prompts" | "device">,
  photos: readonly Photo[],
): Promise<Provenance> {
  const hashes: Record<string, string> = {};
  for (const { path } of reward.files) hashes[path] = await fingerprint(path);
  const configuration = await configurationHash(settings.reward);
  if (configuration !== undefined) hashes[join(settings.reward, CONFIGURATION)] = configuration;
  for (const photo of photos) hashes[photo.path] = photo.sha256;
  const { prompts } = settings;
  if (prompts !== undefined) hashes[prompts] = await sha256(prompts);
  return { versions: versionsOf(settings), hashes };
}

function versionsOf({ device }: Pick<TrainSettings, "device">): Provenance["versions"] {
  return {
    rpo: VERSION,
    node: process.version,
    onnxruntime: BACKENDS[device].version(),
    platform: `${process.platform} ${process.arch}`,
  };
}
