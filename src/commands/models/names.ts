import { join, resolve } from "node:path";
import { EMBEDDED_MODEL, embeddedFolder, isEmbedded } from "../../checkpoints/embedded.ts";
import { parseHubName, type HubName } from "../../hub/names.ts";
import { UsageError } from "../../system/errors.ts";
import { exists } from "../../system/files.ts";
import { checkFolder, isFile } from "../paths.ts";
import { singleFileHint } from "../../checkpoints/pickle.ts";

/** Flags that take a model: what each should hold, the part of the package that "tiny" stands for, and a file that must be in it. */
export const MODEL_FLAGS = {
  "--model": {
    part: "sd",
    kind: "diffusers",
    expected: "a diffusers folder or a .safetensors file",
    file: "model_index.json",
  },
  "--reward": {
    part: "align",
    kind: "image-text",
    expected: "a transformers folder with an ALIGN model",
    file: "config.json",
  },
  "--dino": { part: "dino", kind: "image", expected: "a transformers folder", file: "config.json" },
  "--clip": { part: "clip", kind: "image-text", expected: "a transformers folder", file: "config.json" },
  "--align": { part: "align", kind: "image-text", expected: "a transformers folder", file: "config.json" },
} as const;
export type ModelFlag = keyof typeof MODEL_FLAGS;

/** The reward of a run whose flags name none, and whose model is not the embedded one. */
export const DEFAULT_REWARD = "kakaobrain/align-base";

/**
 * The model on the hub that a name stands for; undefined for "tiny" and for a path. What is a folder or file stays one, whatever its name.
 * @throws UsageError when the revision cannot be one
 */
export async function hubNameOf(flag: ModelFlag, name: string): Promise<HubName | undefined> {
  if (name === EMBEDDED_MODEL || (await exists(name))) return undefined;
  try {
    return parseHubName(name);
  } catch (error) {
    throw error instanceof UsageError ? new UsageError(`${flag} ${error.message}`) : error;
  }
}

/** The folder that a name stands for that is not on the hub: "tiny" is the embedded model, everything else a path. */
export function modelFolder(flag: ModelFlag, name: string): string {
  return name === EMBEDDED_MODEL ? embeddedFolder(MODEL_FLAGS[flag].part) : resolve(name);
}

/** @throws UsageError unless the folder is there; a Stable Diffusion may be a file too */
export async function checkModel(flag: ModelFlag, folder: string): Promise<void> {
  const { part, expected, file } = MODEL_FLAGS[flag];
  if (folder === embeddedFolder(part) && !(await exists(join(folder, file))))
    throw new UsageError(
      `${flag} ${EMBEDDED_MODEL}: this copy of rpo has no embedded model (expected models/${EMBEDDED_MODEL}/${part}/${file}); give ${flag} PATH, ${expected}`,
    );
  if (flag === "--model" && (await isFile(folder))) {
    if (folder.endsWith(".safetensors")) return;
    const hint = folder.endsWith(".ckpt") ? singleFileHint(folder) : "another file";
    throw new UsageError(`${flag} ${folder}: expected ${expected}, but it is ${hint}`);
  }
  await checkFolder(flag, folder, `${expected}, or owner/name on the hub`);
}

/** The reward of a run whose flags name none. */
export function defaultReward(model: string): string {
  return model === EMBEDDED_MODEL || isEmbedded(resolve(model)) ? EMBEDDED_MODEL : DEFAULT_REWARD;
}
