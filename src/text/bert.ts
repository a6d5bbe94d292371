import { z } from "zod";
import { ModelError } from "../system/errors.ts";
import { everyLine } from "../system/lines-or-json.ts";
import { readOptionalJson, readOptionalText } from "../system/optional-files.ts";
import { createEngine } from "./engine.ts";
import { normalizeBert } from "./normalize.ts";
import { addedTokensSchema, readSpecialTokens } from "./special.ts";
import type { AddedToken } from "./special.ts";
import { assembleTokenizer } from "./tokenizer.ts";
import type { Tokenizer } from "./tokenizer.ts";

const tokenizerSchema = z.object({
  added_tokens: addedTokensSchema,
  model: z.object({
    type: z.literal("WordPiece").optional(),
    vocab: z.record(z.string(), z.number().int().nonnegative()),
  }),
});

/**
 * Load the WordPiece tokenizer of a BERT text encoder, equal to transformers' `BertTokenizer`.
 *
 * @param folder with tokenizer.json or vocab.txt; tokenizer_config.json and special_tokens_map.json if there are any
 * @param options.length of every encoding; ALIGN was trained with 64
 * @throws ModelError when files are missing, broken or contradict each other
 *
 * @example
 * const { ids, attentionMask } = (await loadBertTokenizer("align-base")).encode("a photo of a dog"); // Int32Array(64) each
 */
export async function loadBertTokenizer(folder: string, { length = 64 } = {}): Promise<Tokenizer> {
  const { vocabulary, added } = await readModel(folder);
  const special = await readSpecialTokens(
    folder,
    { cls_token: "[CLS]", sep_token: "[SEP]", pad_token: "[PAD]", unk_token: "[UNK]", mask_token: "[MASK]" },
    added,
  );
  const { cls_token: start, sep_token: end, unk_token: unknown, pad_token: pad } = special.roles;
  const engine = createEngine(
    { type: "BertPreTokenizer" },
    { type: "WordPiece", vocab: vocabulary, unk_token: unknown.content, continuing_subword_prefix: "##" },
  );
  const { do_lower_case: lowerCase, tokenize_chinese_chars: splitIdeographs, strip_accents } = special.config;
  const normalization = { lowerCase, splitIdeographs, stripAccents: strip_accents ?? lowerCase };
  return assembleTokenizer({
    folder,
    vocabulary: engine.vocabulary,
    added: special.added,
    start,
    end,
    pad,
    unknown,
    length,
    normalize: (text) => normalizeBert(text, normalization),
    tokenize: engine.tokenize,
  });
}

async function readModel(
  folder: string,
): Promise<{ vocabulary: Record<string, number>; added: readonly AddedToken[] }> {
  const whole = await readOptionalJson(folder, "tokenizer.json", tokenizerSchema);
  if (whole) return { vocabulary: whole.model.vocab, added: whole.added_tokens };
  const text = await readOptionalText(folder, "vocab.txt");
  if (text === undefined)
    throw new ModelError(`${folder}: no tokenizer found (looked for tokenizer.json, or vocab.txt)`);
  const lines = everyLine(text);
  return { vocabulary: Object.fromEntries(lines.map((line, id) => [line.trimEnd(), id])), added: [] };
}
