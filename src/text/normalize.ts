/**
 * Text normalization as the Python library `tokenizers` does it (its Rust code works on single characters), where
 * `@huggingface/tokenizers` and JavaScript's own functions differ.
 */

/** Every character in lower case, whatever its neighbours: `toLowerCase` makes a final sigma, Rust does not. */
export function lowerCase(text: string): string {
  return Array.from(text, (character) => character.toLowerCase()).join("");
}

/** CLIP: canonical composition, white space runs to one space, lower case. */
export function normalizeClip(text: string): string {
  return lowerCase(text.normalize("NFC").replace(/\p{White_Space}+/gu, " "));
}

export interface BertNormalization {
  readonly lowerCase: boolean;
  readonly stripAccents: boolean;
  readonly splitIdeographs: boolean;
}

/** BERT: control characters out, spaces around ideographs, accents off, lower case. */
export function normalizeBert(text: string, options: BertNormalization): string {
  let out = text.replace(/[\t\n\r\p{Zs}\p{Zl}\p{Zp}]/gu, " ").replace(/[\0\uFFFD\p{Cc}\p{Cf}\p{Co}\p{Cs}]/gu, "");
  if (options.splitIdeographs) out = out.replace(IDEOGRAPH, " $& ");
  if (options.stripAccents) out = out.normalize("NFD").replace(/\p{Mn}/gu, "");
  return options.lowerCase ? lowerCase(out) : out;
}

/** The blocks that BERT takes for Chinese characters (google-research/bert, tokenization.py). */
const IDEOGRAPH =
  /[\u4E00-\u9FFF\u3400-\u4DBF\u{20000}-\u{2A6DF}\u{2A700}-\u{2B73F}\u{2B740}-\u{2B81F}\u{2B920}-\u{2CEAF}\uF900-\uFAFF\u{2F800}-\u{2FA1F}]/gu;
