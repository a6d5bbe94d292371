import { ModelError, UsageError } from "../system/errors.ts";
import { escapePattern } from "../system/patterns.ts";
import type { AddedToken } from "./special.ts";
import { trainedWords, type TrainedWord } from "./trained-words.ts";

/** What a text encoder is fed with: `[length]` each. */
export interface Encoding {
  readonly ids: Int32Array;
  /** 1 for tokens of the text (start and end included), 0 for padding. */
  readonly attentionMask: Int32Array;
}

export interface Tokenizer {
  /** The ids of `text` between start and end tokens, cut or padded to `length` as transformers does it. @throws UsageError for one without end */
  encode(text: string): Encoding;
  /** All ids of `text`, without start and end. @throws UsageError for one without end */
  ids(text: string): number[];
  /** Ids between start and end tokens, padded to `length`: at most two fewer than that. */
  frame(ids: readonly number[]): Encoding;
  readonly length: number;
  /** One more than the highest id. */
  readonly vocabularySize: number;
  /** The same with words that have ids of their own, wherever they stand in a text. */
  withWords(words: readonly TrainedWord[]): Tokenizer;
}

export interface TokenizerParts {
  /** Named in errors. */
  readonly folder: string;
  /** Ids by token. */
  readonly vocabulary: ReadonlyMap<string, number>;
  readonly added: readonly AddedToken[];
  readonly start: AddedToken;
  readonly end: AddedToken;
  readonly pad: AddedToken;
  readonly unknown: AddedToken;
  readonly length: number;
  normalize: (text: string) => string;
  /** Normalized text to the vocabulary's tokens (or the unknown one). */
  tokenize: (normalizedText: string) => string[];
  /** Default: none. */
  readonly words?: readonly TrainedWord[];
}

/** Of a text; the library that tokenizes recurses over it, and ends the process on much longer ones. */
export const MOST_CHARACTERS = 5000;

/**
 * A tokenizer from its parts.
 *
 * Added tokens are cut out here and not by `@huggingface/tokenizers`, which also finds those that only normalization made
 * ("<|ENDOFTEXT|>") in texts where the Python library does not.
 *
 * @throws ModelError when start, end, padding or unknown token has no id
 */
export function assembleTokenizer(parts: TokenizerParts): Tokenizer {
  const { folder, added, length, normalize, tokenize } = parts;
  const ids = new Map(parts.vocabulary);
  let vocabularySize = 0;
  for (const id of ids.values()) vocabularySize = Math.max(vocabularySize, id + 1);
  for (const special of [parts.start, parts.end, parts.pad, parts.unknown])
    if (!ids.has(special.content))
      throw new ModelError(`${folder}: the tokenizer's vocabulary lacks ${JSON.stringify(special.content)}`);
  for (const { content } of added) if (!ids.has(content)) ids.set(content, vocabularySize++);
  const id = (token: string): number => {
    const found = ids.get(token);
    if (found === undefined)
      throw new ModelError(`${folder}: the tokenizer's vocabulary lacks ${JSON.stringify(token)}`);
    return found;
  };

  const asWritten = finder(added.filter((token) => !token.normalized).map(({ content }) => [content, id(content)]));
  const inNormalized = finder(
    added.filter((token) => token.normalized).map(({ content }) => [normalize(content), id(content)]),
  );
  const words = trainedWords(parts.words ?? [], normalize);
  const textIds = (text: string): number[] =>
    asWritten(text).flatMap((piece) =>
      typeof piece === "number"
        ? piece
        : inNormalized(normalize(piece)).flatMap((inner) =>
            typeof inner === "number"
              ? inner
              : words(inner).flatMap((part) => (typeof part === "string" ? tokenize(part).map(id) : part)),
          ),
    );

  const idsOf = (text: string): number[] => {
    if (text.length > MOST_CHARACTERS)
      throw new UsageError(`a prompt of ${text.length} characters: expected at most ${MOST_CHARACTERS}`);
    return textIds(text);
  };
  const frame = (inner: readonly number[]): Encoding => {
    const kept = [id(parts.start.content), ...inner, id(parts.end.content)];
    const padded = new Int32Array(length).fill(id(parts.pad.content));
    padded.set(kept);
    return { ids: padded, attentionMask: new Int32Array(length).fill(1, 0, kept.length) };
  };
  return {
    length,
    vocabularySize,
    withWords: (more) => assembleTokenizer({ ...parts, words: [...(parts.words ?? []), ...more] }),
    ids: idsOf,
    frame,
    encode: (text) => frame(idsOf(text).slice(0, length - 2)),
  };
}

/** Cuts texts at the leftmost, then longest of `tokens`: the ids of those, the text between them. */
function finder(tokens: [content: string, id: number][]): (text: string) => (string | number)[] {
  if (tokens.length === 0) return (text) => [text];
  const ids = new Map(tokens);
  const longestFirst = [...ids.keys()].sort((a, b) => b.length - a.length);
  const escaped = longestFirst.map(escapePattern);
  // Splitting by a pattern with a group keeps what the group found.
  const pattern = new RegExp(`(${escaped.join("|")})`, "u");
  return (text) => text.split(pattern).map((piece, i) => (i % 2 === 1 ? (ids.get(piece) ?? piece) : piece));
}
