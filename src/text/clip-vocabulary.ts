import { everyLine } from "../system/lines-or-json.ts";
import type { BytePairVocabulary } from "./clip.ts";

/**
 * OpenAI's CLIP vocabulary from its merges alone: all bytes, all bytes at a word's end, what each merge makes, start and end of a text.
 * The ids are those of every Stable Diffusion tokenizer's vocab.json. https://github.com/openai/CLIP, clip/simple_tokenizer.py
 *
 * @param text a merges.txt: a pair a line, behind a line with the version
 */
export function clipVocabulary(text: string): BytePairVocabulary {
  const merges = everyLine(text)
    .filter((line) => line !== "" && !line.startsWith("#version"))
    .map((line): [string, string] => {
      const [left, right] = line.split(" ");
      return [left, right];
    });
  const bytes = byteLetters();
  const tokens = [
    ...bytes,
    ...bytes.map((letter) => `${letter}</w>`),
    ...merges.map((pair) => pair.join("")),
    "<|startoftext|>",
    "<|endoftext|>",
  ];
  return { ids: Object.fromEntries(tokens.map((token, id) => [token, id])), merges };
}

/** GPT-2's letters for the 256 bytes in the vocabulary's order: printable ones stand for themselves, the others follow from U+0100 on. */
function byteLetters(): string[] {
  const printable = [range("!", "~"), range("¡", "¬"), range("®", "ÿ")].flat();
  return [...printable, ...Array.from({ length: 256 - printable.length }, (_, i) => 256 + i)].map((code) =>
    String.fromCharCode(code),
  );
}

function range(first: string, last: string): number[] {
  const start = first.charCodeAt(0);
  return Array.from({ length: last.charCodeAt(0) - start + 1 }, (_, i) => start + i);
}
