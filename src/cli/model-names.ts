import { resolve } from "node:path";
import { EMBEDDED_MODEL, embeddedFolder, isEmbedded } from "../checkpoints/embedded.ts";
import { exists } from "../rpo/run-folder.ts";
import { UsageError } from "../tensor/errors.ts";
import { checkFolder, isFile } from "./paths.ts";
import { singleFileHint } from "../checkpoints/pickle.ts";

/** Flags that take a model: what each should hold, the part of the package that "tiny" stands for, and a file that must be in it. */
const FLAGS = {
  "--model": { part: "sd", expected: "a diffusers folder or a .safetensors file", file: "model_index.json" },
  "--reward": { part: "align", expected: "a transformers folder with an ALIGN model", file: "config.json" },
} as const;

/** The folder that a name stands for: "tiny" is the embedded model, everything else a path. */
export function modelFolder(flag: keyof typeof FLAGS, name: string): string {
  return name === EMBEDDED_MODEL ? embeddedFolder(FLAGS[flag].part) : resolve(name);
}

/** @throws UsageError unless the folder is there; a Stable Diffusion may be a file too */
export async function checkModel(flag: keyof typeof FLAGS, folder: string): Promise<void> {
  const { part, expected, file } = FLAGS[flag];
  if (isEmbedded(folder) && !(await exists(`${folder}/${file}`)))
    throw new UsageError(
      `${flag} ${EMBEDDED_MODEL}: this copy of rpo has no embedded model (expected models/${EMBEDDED_MODEL}/${part}/${file}); give ${flag} PATH, ${expected}`,
    );
  if (flag === "--model" && (await isFile(folder))) {
    if (folder.endsWith(".safetensors")) return;
    const hint = folder.endsWith(".ckpt") ? singleFileHint(folder) : "another file";
    throw new UsageError(`${flag} ${folder}: expected ${expected}, but it is ${hint}`);
  }
  await checkFolder(flag, folder, expected);
}

/** The reward of a run whose flags name none. @throws UsageError where there is no default */
export function defaultReward(model: string): string {
  if (model === EMBEDDED_MODEL || isEmbedded(resolve(model))) return EMBEDDED_MODEL;
  throw new UsageError(
    "--reward is missing: with another model than the embedded one the default is kakaobrain/align-base, which cannot be fetched yet; give --reward FOLDER, a transformers folder with an ALIGN model",
  );
}
