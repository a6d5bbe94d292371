import { stat } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { isWholeUnet } from "../checkpoints/adapted-unet.ts";
import { readBundled } from "../checkpoints/embeddings/read.ts";
import type { Embedding } from "../checkpoints/embeddings/fit.ts";
import { fingerprint } from "../checkpoints/hashes.ts";
import { findLoraFile } from "../checkpoints/lora.ts";
import type { LoraUpdates } from "../checkpoints/lora-files/updates.ts";
import { readLoraFile } from "../checkpoints/lora-files/read.ts";
import { UNET_PREFIX } from "../checkpoints/original/family.ts";
import { openPart, type Held, type Part } from "../checkpoints/part.ts";
import { unetParameters } from "../checkpoints/graphs.ts";
import { openStableDiffusion, type StableDiffusion } from "../checkpoints/stable-diffusion.ts";
import { checkTrained } from "../checkpoints/trained-files.ts";
import { noiseSchedule } from "../diffusion/schedule.ts";
import type { UnetConfig } from "../models/unet/config.ts";
import type { JudgedCheckpoint, TrainedKind } from "../runs/judged.ts";
import { ModelError } from "../system/errors.ts";
import { exists, reasonOf } from "../system/files.ts";
import { openSafetensors } from "../tensor/safetensors.ts";
import { openWeights } from "../checkpoints/weights.ts";
import { stampOf } from "./stamps.ts";

/** What a checkpoint makes of the model that it was trained from. */
export type Trained =
  | { readonly kind: "lora"; readonly updates: LoraUpdates; readonly embeddings: readonly Embedding[] }
  | { readonly kind: "unet"; readonly unet: Part<UnetConfig> }
  | { readonly kind: "model"; readonly model: StableDiffusion };

/** The kind of a checkpoint, and the path that its weights are known by. @throws ModelError for what none of them is, or is not whole */
export async function lookAt(path: string): Promise<{ readonly kind: TrainedKind; readonly path: string }> {
  const info = await stat(path).catch((error: unknown) => {
    throw new ModelError(`${path}: ${reasonOf(error)}`, { cause: error });
  });
  if (!info.isDirectory()) return { kind: await kindOfFile(path), path };
  if (await exists(join(path, "model_index.json"))) return { kind: "model", path };
  if (await isWholeUnet(path)) return { kind: "unet", path };
  const inner = join(path, "unet");
  if ((await exists(inner)) && (await isWholeUnet(inner))) {
    if (await exists(join(path, "text_encoder")))
      throw new ModelError(
        `${path}: a U-Net and a text encoder that trained, without the rest of their model; save the whole pipeline there (pipeline.save_pretrained), which is read`,
      );
    return { kind: "unet", path: inner };
  }
  // OneTrainer's backups
  const lora = join(path, "lora");
  return { kind: "lora", path: await findLoraFile((await exists(lora)) ? lora : path) };
}

/** Where a checkpoint is, without the model that it was trained from. @throws ModelError where it is not whole */
export async function placeOf(step: number, place: string): Promise<JudgedCheckpoint> {
  const { kind, path } = await lookAt(place);
  let files: readonly string[];
  if (kind === "lora") files = [await findLoraFile(path)];
  else if (kind === "unet")
    files = (await openWeights(path, { stem: "diffusion_pytorch_model" })).files.map((file) => file.path);
  else {
    const { unet, vae, textEncoders } = await openStableDiffusion(path);
    files = [unet, vae, ...textEncoders].flatMap((part) => part.files.map((file) => file.path));
  }
  return { step, path, kind, files: await fingerprintsOf(files) };
}

async function fingerprintsOf(files: readonly string[]): Promise<Readonly<Record<string, string>>> {
  const found: Record<string, string> = {};
  for (const file of files) found[file] = await fingerprint(file);
  return found;
}

async function kindOfFile(path: string): Promise<TrainedKind> {
  const { tensors } = await openSafetensors(path);
  const names = [...tensors.keys()];
  if (names.some((name) => name.startsWith(UNET_PREFIX) && !/lora|hada|lokr|dora/.test(name))) return "model";
  return "lora";
}

/** A checkpoint that is open. */
export interface OpenedTrained {
  /** The file or folder that was found. */
  readonly place: string;
  readonly trained: Trained;
  readonly checkpoint: JudgedCheckpoint;
  /** Whether its files are what they were before the first of them was read: weights of whole models are read late. */
  isUnchanged(): Promise<boolean>;
}

/**
 * Opens a checkpoint, the headers of its weights at least.
 * @param base the model that it was trained from
 * @throws ModelError where it is damaged, not whole yet, of another model, or changes meanwhile
 */
export async function openTrained(step: number, place: string, base: StableDiffusion): Promise<OpenedTrained> {
  const before = await stampOf(place);
  const isUnchanged = async () => (await stampOf(place))?.text === before?.text;
  const { kind, path } = await lookAt(place);
  const { trained, files } = await openKind(kind, path, base);
  const checkpoint = { step, path, kind, files: await fingerprintsOf(files) };
  if (!(await isUnchanged())) throw new ModelError(`${place}: changed while it was read`);
  return { place, trained, checkpoint, isUnchanged };
}

async function openKind(
  kind: TrainedKind,
  path: string,
  base: StableDiffusion,
): Promise<{ readonly trained: Trained; readonly files: readonly string[] }> {
  switch (kind) {
    case "lora": {
      const updates = await readLoraFile(path, base);
      const embeddings = await readBundled(path, base);
      return { trained: { kind, updates, embeddings }, files: [await findLoraFile(path)] };
    }
    case "unet": {
      await checkTrained(path);
      const { config } = base.unet;
      const expected = (held: Held) => unetParameters(config, held);
      const unet = await openPart(path, config, expected, { stem: "diffusion_pytorch_model" });
      return { trained: { kind, unet }, files: unet.files.map((file) => file.path) };
    }
    case "model": {
      const model = await openStableDiffusion(path);
      checkLike(model, base);
      const parts = [model.unet, model.vae, ...model.textEncoders];
      const files = new Set(parts.flatMap((part) => part.files.map((file) => file.path)));
      return { trained: { kind, model }, files: [...files] };
    }
  }
}

/** @throws ModelError where a whole model is built otherwise than the one that it is compared with */
function checkLike(model: StableDiffusion, base: StableDiffusion): void {
  const differs = (
    [
      ["U-Net", model.unet.config, base.unet.config],
      ["VAE", model.vae.config, base.vae.config],
      ["text encoders", model.textEncoders.map(({ config }) => config), base.textEncoders.map(({ config }) => config)],
      ["noise schedule", noiseSchedule(model.scheduler), noiseSchedule(base.scheduler)],
    ] as const
  ).find(([, own, other]) => !isDeepStrictEqual(own, other));
  if (differs !== undefined)
    throw new ModelError(
      `${model.folder}: its ${differs[0]} is not built as that of ${base.folder}, which it is compared with as the starting model; name the model that it was trained from`,
    );
}
