import { z } from "zod";
import { ModelError } from "../system/errors.ts";
import { everyLine } from "../system/lines-or-json.ts";
import { readOptionalJson, readOptionalText } from "../system/optional-files.ts";
import { createEngine } from "./engine.ts";
import { normalizeClip } from "./normalize.ts";
import { addedTokensSchema, readSpecialTokens } from "./special.ts";
import type { AddedToken } from "./special.ts";
import { assembleTokenizer } from "./tokenizer.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** CLIP's own pattern, then GPT-2's within each piece: the second only ever divides start and end tokens in capitals. */
const SPLITS = [
  String.raw`<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+`,
  String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`,
];

const vocabularySchema = z.record(z.string(), z.number().int().nonnegative());
const tokenizerSchema = z.object({
  added_tokens: addedTokensSchema,
  model: z.object({
    type: z.literal("BPE").optional(),
    vocab: vocabularySchema,
    // Pairs since 2024, before that "a b".
    merges: z.array(z.union([z.string(), z.tuple([z.string(), z.string()])])),
  }),
});

/** What a byte-pair tokenizer knows. */
export interface BytePairVocabulary {
  /** Ids by token. */
  readonly ids: Readonly<Record<string, number>>;
  /** Pairs of tokens that become one, the first ones first. */
  readonly merges: readonly (readonly [string, string])[];
}

export interface ClipTokenizerOptions {
  /** The length of encodings where the files do not limit it (`model_max_length`). */
  readonly fallbackLength?: number;
  /** Used where the folder says only which tokens are special, and holds no vocabulary. */
  readonly fallbackVocabulary?: BytePairVocabulary | undefined;
}

/**
 * Load the byte-pair tokenizer of a CLIP text encoder, equal to transformers' `CLIPTokenizer`.
 *
 * @param folder with tokenizer.json, or vocab.json and merges.txt; tokenizer_config.json and special_tokens_map.json if there are any
 * @throws ModelError when files are missing, broken or contradict each other
 *
 * @example
 * const { ids } = (await loadClipTokenizer("model/tokenizer")).encode("a photo of a dog"); // Int32Array(77)
 */
export async function loadClipTokenizer(
  folder: string,
  { fallbackLength = 77, fallbackVocabulary }: ClipTokenizerOptions = {},
): Promise<Tokenizer> {
  const { vocabulary, merges, added } = await readModel(folder, fallbackVocabulary);
  const special = await readSpecialTokens(
    folder,
    {
      bos_token: "<|startoftext|>",
      eos_token: "<|endoftext|>",
      unk_token: "<|endoftext|>",
      pad_token: "<|endoftext|>",
    },
    added,
  );
  const { bos_token: start, eos_token: end, unk_token: unknown, pad_token: pad } = special.roles;
  const engine = createEngine(
    {
      type: "Sequence",
      pretokenizers: [
        ...SPLITS.map((Regex) => ({ type: "Split", pattern: { Regex }, behavior: "Removed", invert: true })),
        { type: "ByteLevel", add_prefix_space: false, use_regex: false },
      ],
    },
    { type: "BPE", vocab: vocabulary, merges, unk_token: unknown.content, end_of_word_suffix: "</w>" },
  );
  // Without a limit, files hold 1e30 or nothing.
  const limit = special.config.model_max_length;
  return assembleTokenizer({
    folder,
    vocabulary: engine.vocabulary,
    added: special.added,
    start,
    end,
    pad,
    unknown,
    length: limit !== undefined && limit < 1e6 ? Math.floor(limit) : fallbackLength,
    normalize: normalizeClip,
    tokenize: engine.tokenize,
  });
}

interface BytePairModel {
  readonly vocabulary: Readonly<Record<string, number>>;
  readonly merges: readonly (readonly [string, string])[];
  readonly added: readonly AddedToken[];
}

async function readModel(folder: string, fallback: BytePairVocabulary | undefined): Promise<BytePairModel> {
  const whole = await readOptionalJson(folder, "tokenizer.json", tokenizerSchema);
  if (whole) {
    const { vocab, merges } = whole.model;
    return {
      vocabulary: vocab,
      merges: parseMerges(`${folder}/tokenizer.json`, vocab, merges),
      added: whole.added_tokens,
    };
  }
  const vocab = await readOptionalJson(folder, "vocab.json", vocabularySchema);
  const text = await readOptionalText(folder, "merges.txt");
  if (vocab === undefined && text === undefined && fallback !== undefined)
    return { vocabulary: fallback.ids, merges: fallback.merges, added: [] };
  if (vocab === undefined || text === undefined)
    throw new ModelError(`${folder}: no tokenizer found (looked for tokenizer.json, or vocab.json and merges.txt)`);
  const lines = everyLine(text).filter((line) => line !== "" && !line.startsWith("#version"));
  return { vocabulary: vocab, merges: parseMerges(`${folder}/merges.txt`, vocab, lines), added: [] };
}

function parseMerges(
  file: string,
  vocabulary: Record<string, number>,
  merges: readonly (string | [string, string])[],
): [string, string][] {
  return merges.map((merge) => {
    const [left, right, ...rest] = typeof merge === "string" ? merge.split(" ") : merge;
    if (left === undefined || right === undefined || rest.length > 0)
      throw new ModelError(`${file}: a merge must be two tokens, got ${JSON.stringify(merge)}`);
    for (const token of [left, right, left + right])
      if (!(token in vocabulary))
        throw new ModelError(
          `${file}: merge ${left} + ${right} needs ${JSON.stringify(token)}, which the vocabulary lacks`,
        );
    return [left, right];
  });
}
