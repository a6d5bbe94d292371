import { escapePattern } from "../system/patterns.ts";

/** A word that stands for vectors of its own (textual inversion, arXiv 2208.01618). */
export interface TrainedWord {
  /** As it is written in texts; case and white space do not matter where the tokenizer's normalization takes them away. */
  readonly word: string;
  /** The ids of its vectors, in their order. */
  readonly ids: readonly number[];
}

/**
 * Cuts normalized texts at words: the leftmost, then longest. A letter beside another letter is inside of a word: `sks` is not in `asks`,
 * as in A1111, which compares tokens. Anything else may touch a word, as in diffusers.
 *
 * @returns a function that gives the ids of the words, and the text between them
 */
export function trainedWords(
  words: readonly TrainedWord[],
  normalize: (text: string) => string,
): (text: string) => (string | readonly number[])[] {
  if (words.length === 0) return (text) => [text];
  const ids = new Map(words.map(({ word, ids: own }) => [normalize(word), own]));
  const longestFirst = [...ids.keys()].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(`(${longestFirst.map(bounded).join("|")})`, "u");
  return (text) => text.split(pattern).map((piece, i) => (i % 2 === 1 ? (ids.get(piece) ?? piece) : piece));
}

function bounded(word: string): string {
  const before = /^\p{L}/u.test(word) ? String.raw`(?<!\p{L})` : "";
  const after = /\p{L}$/u.test(word) ? String.raw`(?!\p{L})` : "";
  return before + escapePattern(word) + after;
}
