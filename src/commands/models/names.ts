import { PHOTO_ENCODERS } from "../../checkpoints/photo-encoder-names.ts";
import { join, resolve } from "node:path";
import { EMBEDDED_MODEL, embeddedFolder, isEmbedded } from "../../checkpoints/embedded.ts";
import { parseHubName, type HubName } from "../../hub/names.ts";
import { UsageError } from "../../system/errors.ts";
import { messageOf, say, setting } from "../../system/message.ts";
import { exists } from "../../system/files.ts";
import { checkFolder, isFile } from "../paths.ts";
import { describeModelFile } from "../../checkpoints/model-file.ts";
import { pickledTensorsHint, singleFileHint } from "../../checkpoints/pickle.ts";

/** Settings that take a model: what each should hold, the part of the package that "tiny" stands for, and a file that must be in it. */
export const MODEL_SETTINGS = {
  model: {
    part: "sd",
    kind: "diffusers",
    expected: "a diffusers folder or a .safetensors file",
    file: "model_index.json",
  },
  reward: {
    part: "align",
    kind: "image-text",
    expected: "a transformers folder with an ALIGN model",
    file: "config.json",
  },
  vae: { part: "sd", kind: "vae", expected: "a VAE's folder or a .safetensors file", file: "config.json" },
  imageEncoder: {
    part: "clip",
    kind: "image-text",
    expected: "a transformers folder with a CLIP model",
    file: "config.json",
  },
  dino: { part: "dino", kind: "image", expected: "a transformers folder", file: "config.json" },
  clip: { part: "clip", kind: "image-text", expected: "a transformers folder", file: "config.json" },
  align: { part: "align", kind: "image-text", expected: "a transformers folder", file: "config.json" },
} as const;
export type ModelSetting = keyof typeof MODEL_SETTINGS;

/** The reward of a run whose settings name none, and whose model is not the embedded one. */
export const DEFAULT_REWARD = "kakaobrain/align-base";

/**
 * The model on the hub that a name stands for; undefined for "tiny" and for a path. What is a folder or file stays one, whatever its name.
 * @throws UsageError when the revision cannot be one
 */
export async function hubNameOf(given: ModelSetting, name: string): Promise<HubName | undefined> {
  if (name === EMBEDDED_MODEL || (await exists(name))) return undefined;
  const address = /^https?:\/\/([^/]+)\/(.*)$/.exec(name);
  if (address !== null) {
    const [, host, path] = address;
    const [owner = "owner", repo = "name"] = path.split("/").filter((part) => part !== "");
    throw new UsageError(
      say`${setting(given, name)}: expected a name on the hub, not an address; of ${host} write ${owner}/${repo.split("?")[0]}, or download the file and give its path`,
    );
  }
  if (/\.(?:safetensors|ckpt|gguf)$/i.test(name))
    throw new UsageError(
      say`${setting(given, name)}: no such file (expected ${MODEL_SETTINGS[given].expected}, or owner/name on the hub)`,
    );
  try {
    return parseHubName(name);
  } catch (error) {
    throw error instanceof UsageError ? new UsageError(say`${setting(given)} ${messageOf(error)}`) : error;
  }
}

/** The folder that a name stands for that is not on the hub: "tiny" is the embedded model, everything else a path. */
export function modelFolder(given: ModelSetting, name: string): string {
  return name === EMBEDDED_MODEL ? embeddedFolder(MODEL_SETTINGS[given].part) : resolve(name);
}

/** @throws UsageError unless the folder is there; a Stable Diffusion may be a file too */
export async function checkModel(given: ModelSetting, folder: string): Promise<void> {
  const { part, expected, file } = MODEL_SETTINGS[given];
  if (folder === embeddedFolder(part) && !(await exists(join(folder, file))))
    throw new UsageError(
      say`${setting(given, EMBEDDED_MODEL)}: this copy of rpo has no embedded model (expected models/${EMBEDDED_MODEL}/${part}/${file}); give ${setting(given)} PATH, ${expected}`,
    );
  if ((given === "model" || given === "vae") && (await isFile(folder))) {
    if (folder.endsWith(".safetensors")) return;
    const what = await describeModelFile(folder, given === "vae" ? pickledTensorsHint : singleFileHint);
    throw new UsageError(say`${setting(given, folder)}: expected ${expected}, but it is ${what}`);
  }
  await checkFolder(given, folder, `${expected}, or owner/name on the hub`);
}

/** The CLIP that reads photos where no setting names one. @param model with which it does @throws UsageError unless that is the embedded one */
export function defaultImageEncoder(model: string): string {
  if (defaultReward(model) === EMBEDDED_MODEL) return EMBEDDED_MODEL;
  throw new UsageError(
    say`${setting("imageEncoder")} is missing: a CLIP model, which reads the photos: ${PHOTO_ENCODERS}`,
  );
}

/** The reward of a run whose settings name none. */
export function defaultReward(model: string): string {
  return model === EMBEDDED_MODEL || isEmbedded(resolve(model)) ? EMBEDDED_MODEL : DEFAULT_REWARD;
}
