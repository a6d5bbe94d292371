import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { writeSafetensors } from "../../tensor/safetensors.ts";
import { float32, type Float32Tensor } from "../../tensor/tensor.ts";
import { numberedWordFile } from "./word-names.ts";

/** A word that was trained, in its checkpoint: as diffusers' script of textual inversion writes it, a file for each text encoder. */

/** By text encoder. */
export const WORD_FILES = ["learned_embeds.safetensors", "learned_embeds_2.safetensors"] as const;

/**
 * Writes a word's vectors: `pipe.load_textual_inversion(folder)` reads them. The last file comes last that a pipeline's checkpoint needs, so
 * that a folder that has the first is whole.
 * @param vectors [n, features] for each text encoder
 */
export async function writeWord(folder: string, word: string, vectors: readonly Float32Tensor[]): Promise<void> {
  for (const [i, tensor] of [...vectors.entries()].toReversed())
    await writeSafetensors(join(folder, WORD_FILES[i]), [{ name: word, tensor }]);
}

/**
 * Writes a word for A1111, Forge, ComfyUI and kohya's scripts, whose name for it is the file's: `emb_params` of one text encoder, `clip_l` and
 * `clip_g` of an XL's two. diffusers reads the first with `token`.
 */
export async function writeWordFile(
  path: string,
  vectors: readonly Float32Tensor[],
  { dtype }: { readonly dtype: "F32" | "F16" },
): Promise<void> {
  const names = vectors.length === 1 ? ["emb_params"] : ["clip_l", "clip_g"];
  await writeSafetensors(
    path,
    vectors.map((tensor, i) => ({ name: names[i], tensor })),
    { dtype },
  );
}

/** The files of a word in a checkpoint's folder; none where it has no word. */
export async function wordFilesIn(folder: string): Promise<string[]> {
  const names: readonly string[] = await readdir(folder).catch(() => []);
  return WORD_FILES.filter((name) => names.includes(name)).map((name) => join(folder, name));
}

/** Beside keys and values of several subjects: a file a word, as `rpo merge` and as diffusers' script of Custom Diffusion name them. */
const OTHER_WORD = /^(word-\d+(_2)?|<[^<>]+>)\.safetensors$/;

/**
 * Writes the words of a training: of one its own files, of several a file for each.
 * @param vectors [words · n, features] for each text encoder, n of each word
 */
export async function writeWords(
  folder: string,
  words: readonly string[],
  vectors: readonly Float32Tensor[],
): Promise<void> {
  if (words.length === 1) return writeWord(folder, words[0], vectors);
  for (const [w, word] of words.entries())
    await writeNumberedWord(
      folder,
      w + 1,
      word,
      vectors.map(({ data, shape: [rows, features] }) => {
        const count = rows / words.length;
        return float32(data.slice(w * count * features, (w + 1) * count * features), [count, features]);
      }),
    );
}

/** Writes one of several words, numbered from 1: `pipe.load_textual_inversion(file)` reads it. @param vectors [n, features] for each text encoder */
export async function writeNumberedWord(
  folder: string,
  number: number,
  word: string,
  vectors: readonly Float32Tensor[],
): Promise<void> {
  for (const [i, tensor] of vectors.entries())
    await writeSafetensors(join(folder, numberedWordFile(number, i)), [{ name: word, tensor }]);
}

/** The files of several words in a folder; none where it has none. */
export async function otherWordFilesIn(folder: string): Promise<string[]> {
  const names: readonly string[] = await readdir(folder).catch(() => []);
  return names
    .filter((name) => OTHER_WORD.test(name))
    .sort()
    .map((name) => join(folder, name));
}
