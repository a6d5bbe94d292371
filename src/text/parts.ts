import { oneLine } from "../system/printable.ts";
import type { ReadPrompt } from "./prompt-weights.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** What a text encoder reads at once: [length] each. */
export interface TextPart {
  readonly ids: Int32Array;
  /** What the states of each token are multiplied by; undefined where all stay as they are. */
  readonly weights: Float32Array | undefined;
}

/**
 * A prompt of any length in parts that a text encoder reads one after another: as many tokens as fit between a start and an end of their own
 * (CLIP: 75), the last part padded. One part is what the tokenizer's `encode` gives. This is how AUTOMATIC1111's web UI reads long prompts
 * (but for its moving of ends to commas), and diffusers' lpw_stable_diffusion.
 */
export function partsOf(tokenizer: Tokenizer, prompt: ReadPrompt): TextPart[] {
  const room = tokenizer.length - 2;
  const parts: TextPart[] = [];
  let ids: number[] = [];
  let weights: number[] = [];
  const close = () => {
    parts.push({ ids: tokenizer.frame(ids).ids, weights: weightsOf(weights, tokenizer.length) });
    [ids, weights] = [[], []];
  };
  for (const [i, segment] of prompt.entries()) {
    if (i > 0) close();
    for (const { text, weight } of segment)
      for (const id of tokenizer.ids(text)) {
        if (ids.length === room) close();
        ids.push(id);
        weights.push(weight);
      }
  }
  if (ids.length > 0 || parts.length === 0) close();
  return parts;
}

/** Start, end and padding count as they are. */
function weightsOf(weights: readonly number[], length: number): Float32Array | undefined {
  if (weights.every((weight) => weight === 1)) return undefined;
  const all = new Float32Array(length).fill(1);
  all.set(weights, 1);
  return all;
}

/** The words of a text that a model of one part does not read, the word that is cut among them; undefined where it reads all. */
export function droppedWords(tokenizer: Tokenizer, text: string): string | undefined {
  const room = tokenizer.length - 2;
  if (tokenizer.ids(text).length <= room) return undefined;
  const words = text.split(/(?<=\s)/u);
  let [kept, cut] = [0, words.length];
  while (kept + 1 < cut) {
    const middle = Math.floor((kept + cut) / 2);
    if (tokenizer.ids(words.slice(0, middle).join("")).length <= room) kept = middle;
    else cut = middle;
  }
  return words.slice(kept).join("").trim();
}

const MOST_SHOWN = 200;

/**
 * What to say of texts that are longer than a model reads, once for all of them.
 * @param who reads them: "the reward"
 * @returns nothing where it reads them all
 */
export function droppedNote(tokenizer: Tokenizer, texts: Iterable<string>, who: string): string | undefined {
  const cut = [...new Set(texts)].flatMap((text) => {
    const words = droppedWords(tokenizer, text);
    return words === undefined ? [] : [{ text, words }];
  });
  if (cut.length === 0) return undefined;
  const [{ text, words }] = cut;
  const more = cut.length === 1 ? "" : ` (and the ends of ${cut.length - 1} more)`;
  return `${who} reads ${tokenizer.length - 2} tokens of a text: of "${oneLine(text, 40)}" it does not read "${oneLine(words, MOST_SHOWN)}"${more}`;
}
