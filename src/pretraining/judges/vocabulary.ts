import { join } from "node:path";
import { makeFolder, writeFileAtomic, writeJson } from "../../system/files.ts";
import { sampleOf } from "../pictures.ts";

const SPECIAL = {
  pad_token: "[PAD]",
  unk_token: "[UNK]",
  cls_token: "[CLS]",
  sep_token: "[SEP]",
  mask_token: "[MASK]",
};
const CHARACTERS = Array.from("abcdefghijklmnopqrstuvwxyz0123456789");
/** Captions that the vocabulary is taken from: enough for every word to come many times. */
const CAPTIONS = 20_000;

/** The vocabulary of the embedded BERT, in the order of ids: every word of the world's captions, and characters to spell others with. */
export function bertVocabulary(): string[] {
  const words = new Set<string>();
  for (let i = 0; i < CAPTIONS; i++)
    for (const word of sampleOf("vocabulary", i).caption.toLowerCase().split(" "))
      // the tokenizer takes punctuation for words of its own
      for (const [part] of word.matchAll(/[a-z0-9]+|[^a-z0-9]/g)) words.add(part);
  const spelling = CHARACTERS.flatMap((character) => [character, `##${character}`]);
  const known = new Set([...Object.values(SPECIAL), ...spelling]);
  return [...known, ...[...words].sort().filter((word) => !known.has(word))];
}

/** Writes the files that transformers' BertTokenizer reads. @param length tokens of every encoding */
export async function writeBertTokenizer(folder: string, vocabulary: readonly string[], length: number): Promise<void> {
  await makeFolder(folder);
  await writeFileAtomic(join(folder, "vocab.txt"), `${vocabulary.join("\n")}\n`);
  await writeJson(join(folder, "special_tokens_map.json"), SPECIAL);
  await writeJson(join(folder, "tokenizer_config.json"), {
    ...SPECIAL,
    do_lower_case: true,
    model_max_length: length,
    tokenizer_class: "BertTokenizer",
  });
}
