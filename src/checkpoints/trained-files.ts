import { basename } from "node:path";
import { checkSums, readSums, SUMS_FILE } from "../system/sums.ts";
import { ModelError } from "../system/errors.ts";
import { CROSS_ATTENTION_FILE } from "./cross-attention-names.ts";
import { WORD_FILES } from "./embeddings/word-files.ts";
import { NUMBERED_WORD_FILES } from "./embeddings/word-names.ts";
import { IMAGE_ADAPTER_FILE } from "./image-adapter.ts";

/** What `rpo train` writes of a trained model: a LoRA's folder, a U-Net's, or a word's, with the sums of its files. */

/**
 * The weights of a LoRA, of a whole U-Net, of its attention to texts and of a word, each with the file that says how they are meant where there
 * is one. Of several names any: of one subject's word, or of the first of several.
 */
export const TRAINED_WEIGHTS: Readonly<Record<string, readonly string[]>> = {
  "adapter_model.safetensors": ["adapter_config.json"],
  "diffusion_pytorch_model.safetensors": ["config.json"],
  [CROSS_ATTENTION_FILE]: [WORD_FILES[0], NUMBERED_WORD_FILES[0]],
  [WORD_FILES[0]]: [],
};

/** All files of a trained model's folder. */
export const TRAINED_FILES: readonly string[] = [
  ...new Set([
    SUMS_FILE,
    ...Object.entries(TRAINED_WEIGHTS).flat(2),
    ...WORD_FILES,
    ...NUMBERED_WORD_FILES,
    IMAGE_ADAPTER_FILE,
  ]),
];

/**
 * Checks a trained model's folder against its sums, before it is drawn with, exported or chosen. Folders without sums, of an earlier version
 * or of other programs, pass, and so do those whose sums are not this program's.
 * @throws ModelError naming the file that is not what was written
 */
export async function checkTrained(folder: string): Promise<void> {
  const sums = await readSums(folder);
  if (sums === undefined) return;
  const isOurs = sums !== "damaged" && [...sums.keys()].every((name) => TRAINED_FILES.includes(name));
  if (isOurs) return checkSums(folder, sums, TRAINED_FILES);
  if (/^\d{6,}$/.test(basename(folder)))
    throw new ModelError(`${folder}/${SUMS_FILE}: damaged: expected a line of a SHA-256 and a name for each file`);
}
