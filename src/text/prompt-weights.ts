import { escapePattern } from "../system/patterns.ts";

/** Words of a prompt, and how much more or less than as they are they count. */
export interface WeightedText {
  readonly text: string;
  /** 1 is as they are. */
  readonly weight: number;
}

/** A prompt in segments, each of which begins a new part of the text encoder's input: one, but for BREAK. */
export type ReadPrompt = readonly (readonly WeightedText[])[];

/** How a prompt is read. */
export type PromptReader = (prompt: string) => ReadPrompt;

/** Every character as it is written. */
export const readPlain: PromptReader = (prompt) => [[{ text: prompt, weight: 1 }]];

const ROUND = 1.1;
const SQUARE = 1 / 1.1;

/** An escaped sign, a bracket, the weight that ends a round one, or the text between. */
const PIECE = /\\[()[\]\\]|\\|[([]|:\s*([+-]?[.\d]+)\s*\)|\)|\]|[^\\()[\]:]+|:/gu;
const BREAK = /\s*\bBREAK\b\s*/u;

/**
 * Weights as AUTOMATIC1111's web UI has them in prompts: (word) is 1.1 times, [word] 1/1.1 times, (word:1.4) 1.4 times, brackets in brackets
 * multiply, \( \) \[ \] and \\ are the signs themselves, and BREAK ends a part. An end that was not begun is text; what was not ended goes to
 * the prompt's end. https://github.com/AUTOMATIC1111/stable-diffusion-webui/wiki/Features#attentionemphasis
 *
 * @example
 * readWeights("a (red:1.3) [dog]"); // [[{a 1}, {red 1.3}, { 1}, {dog 0.909}]]
 */
export const readWeights: PromptReader = (prompt) => {
  // segments are marked by entries of their own until the weights are known: brackets may hold a BREAK
  const pieces: { text: string; weight: number; readonly isBreak?: boolean }[] = [];
  const open: Record<"round" | "square", number[]> = { round: [], square: [] };
  const multiply = (from: number | undefined, factor: number) => {
    for (const piece of pieces.slice(from)) piece.weight *= factor;
  };
  for (const [found, given] of prompt.matchAll(PIECE)) {
    const weight = given === undefined ? NaN : Number(given);
    if (found.startsWith("\\")) pieces.push({ text: found.length > 1 ? found.slice(1) : "", weight: 1 });
    else if (found === "(") open.round.push(pieces.length);
    else if (found === "[") open.square.push(pieces.length);
    else if (Number.isFinite(weight) && open.round.length > 0) multiply(open.round.pop(), weight);
    else if (found === ")" && open.round.length > 0) multiply(open.round.pop(), ROUND);
    else if (found === "]" && open.square.length > 0) multiply(open.square.pop(), SQUARE);
    else
      for (const [i, text] of found.split(BREAK).entries()) {
        if (i > 0) pieces.push({ text: "", weight: 1, isBreak: true });
        pieces.push({ text, weight: 1 });
      }
  }
  for (const from of open.round) multiply(from, ROUND);
  for (const from of open.square) multiply(from, SQUARE);
  const segments: WeightedText[][] = [[]];
  for (const { text, weight, isBreak } of pieces) {
    const last = segments[segments.length - 1];
    const before = last.at(-1);
    if (isBreak === true) segments.push([]);
    else if (before?.weight === weight) last[last.length - 1] = { text: before.text + text, weight };
    else last.push({ text, weight });
  }
  return pieces.length === 0 ? readPlain("") : segments;
};

/** {@link readWeights}, but for words such as "[V]", whose brackets are their own. */
export function readWeightsBut(...words: readonly string[]): PromptReader {
  const longestFirst = [...words].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(longestFirst.map(escapePattern).join("|"), "gu");
  return (prompt) => readWeights(prompt.replace(pattern, (word) => word.replace(/[()[\]\\]/g, "\\$&")));
}
