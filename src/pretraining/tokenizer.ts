import { join } from "node:path";
import { makeFolder, writeFileAtomic, writeJson } from "../system/files.ts";
import { sampleOf } from "./pictures.ts";

/** The byte-pair tokenizer of the embedded CLIP text encoders, learnt from the world's captions. */
export interface BytePairs {
  /** Tokens in the order of their ids. */
  readonly vocabulary: readonly string[];
  readonly merges: readonly (readonly [string, string])[];
}

const WORD_END = "</w>";
const START = "<|startoftext|>";
const END = "<|endoftext|>";

/** Captions that the vocabulary is learnt from, and words that only prompts have. */
const CAPTIONS = 20_000;
const PROMPT_WORDS =
  "cube shaped wet shiny top of white rug green grass tree autumn leaves sunflowers cobblestone street dirt road mirror " +
  "eiffel tower china great wall statue liberty wooden roof subway platform police chef firefighter rainbow outfit rendition " +
  "sneaker berry bowl fancy plushie monster grey sloth stuffed animal glass house blue purple";

/**
 * Byte-pair encoding (Sennrich et al., arXiv 1508.07909): the most frequent pair of neighbours becomes a token, again and again,
 * until every word of the corpus is one.
 *
 * @param words how often each word of lower-case ASCII letters comes
 */
export function learnBytePairs(words: ReadonlyMap<string, number>): BytePairs {
  const bytes = byteAlphabet();
  const vocabulary = [...bytes, ...bytes.map((byte) => byte + WORD_END)];
  const corpus = [...words].map(([word, count]) => ({
    parts: Array.from(word).map((letter, i) => (i === word.length - 1 ? letter + WORD_END : letter)),
    count,
  }));
  const merges: [string, string][] = [];
  for (;;) {
    const pair = mostFrequentPair(corpus);
    if (pair === undefined) return { vocabulary: [...vocabulary, START, END], merges };
    merges.push(pair);
    vocabulary.push(pair.join(""));
    for (const entry of corpus) entry.parts = merged(entry.parts, pair);
  }
}

/** The tokenizer of the world's captions. */
export function worldBytePairs(): BytePairs {
  const words = new Map<string, number>();
  const count = (text: string) => {
    for (const [word] of text.toLowerCase().matchAll(/[a-z]+/g)) words.set(word, (words.get(word) ?? 0) + 1);
  };
  for (let i = 0; i < CAPTIONS; i++) count(sampleOf("tokenizer", i).caption);
  count(PROMPT_WORDS);
  return learnBytePairs(words);
}

/** Writes the files that transformers' CLIPTokenizer reads. @param length tokens of every encoding */
export async function writeClipTokenizer(
  folder: string,
  { vocabulary, merges }: BytePairs,
  length: number,
): Promise<void> {
  await makeFolder(folder);
  const ids = Object.fromEntries(vocabulary.map((token, id) => [token, id]));
  await writeFileAtomic(join(folder, "vocab.json"), `${JSON.stringify(ids)}\n`);
  const lines = merges.map((pair) => pair.join(" "));
  await writeFileAtomic(join(folder, "merges.txt"), `${["#version: 0.2", ...lines].join("\n")}\n`);
  const roles = { bos_token: START, eos_token: END, unk_token: END, pad_token: END };
  await writeJson(join(folder, "special_tokens_map.json"), roles);
  await writeJson(join(folder, "tokenizer_config.json"), {
    ...roles,
    add_prefix_space: false,
    do_lower_case: true,
    errors: "replace",
    model_max_length: length,
    tokenizer_class: "CLIPTokenizer",
  });
}

/** Ids of the special tokens, for the configs of text encoders. */
export function specialIds({ vocabulary }: BytePairs) {
  const end = vocabulary.indexOf(END);
  return {
    vocab_size: vocabulary.length,
    bos_token_id: vocabulary.indexOf(START),
    eos_token_id: end,
    pad_token_id: end,
  };
}

/** The characters that stand for the 256 bytes in byte-level tokenizers (GPT-2), in the order of their code points. */
function byteAlphabet(): string[] {
  const printable = (byte: number) =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);
  let shifted = 256;
  const characters = Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(printable(byte) ? byte : shifted++));
  return characters.sort();
}

interface Entry {
  parts: string[];
  readonly count: number;
}

/** Of equally frequent pairs the first in the alphabet. */
function mostFrequentPair(corpus: readonly Entry[]): [string, string] | undefined {
  const counts = new Map<string, { pair: [string, string]; count: number }>();
  for (const { parts, count } of corpus)
    for (let i = 0; i + 1 < parts.length; i++) {
      const key = `${parts[i]} ${parts[i + 1]}`;
      const known = counts.get(key);
      if (known === undefined) counts.set(key, { pair: [parts[i], parts[i + 1]], count });
      else known.count += count;
    }
  let best: { key: string; pair: [string, string]; count: number } | undefined;
  for (const [key, { pair, count }] of counts)
    if (best === undefined || count > best.count || (count === best.count && key < best.key))
      best = { key, pair, count };
  return best?.pair;
}

function merged(parts: readonly string[], [left, right]: readonly [string, string]): string[] {
  const out: string[] = [];
  for (let i = 0; i < parts.length; i++)
    if (parts[i] === left && parts[i + 1] === right) {
      out.push(left + right);
      i++;
    } else out.push(parts[i]);
  return out;
}
