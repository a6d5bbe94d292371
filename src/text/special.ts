/** The tokens that a tokenizer's settings add to its vocabulary or mark as special, as transformers 5 collects them. */
import { z } from "zod";
import { readOptionalJson } from "../system/optional-files.ts";

/** A token that is cut out of the text before anything else is done to it. */
export interface AddedToken {
  readonly content: string;
  /** Whether it is sought in the normalized text, rather than in the text as it came. */
  readonly normalized: boolean;
}

// lstrip and rstrip, which may also stand here, only take in the white space around a token: both tokenizers drop that anyway.
const addedTokenSchema = z.object({
  content: z.string().min(1),
  normalized: z.boolean().default(true),
  single_word: z.literal(false).optional(),
});
const settingSchema = z.union([
  z
    .string()
    .min(1)
    .transform((content) => ({ content, normalized: false })),
  addedTokenSchema,
]);
const roles = {
  bos_token: settingSchema.nullish(),
  eos_token: settingSchema.nullish(),
  unk_token: settingSchema.nullish(),
  sep_token: settingSchema.nullish(),
  pad_token: settingSchema.nullish(),
  cls_token: settingSchema.nullish(),
  mask_token: settingSchema.nullish(),
};
const extra = z
  .union([z.array(settingSchema), z.record(z.string(), settingSchema).transform((byName) => Object.values(byName))])
  .nullish();
const extras = { additional_special_tokens: extra, extra_special_tokens: extra };

const configSchema = z.object({
  ...roles,
  ...extras,
  added_tokens_decoder: z.record(z.string(), addedTokenSchema).optional(),
  model_max_length: z.number().min(3).optional(),
  do_lower_case: z.boolean().default(true),
  strip_accents: z.boolean().nullish(),
  tokenize_chinese_chars: z.boolean().default(true),
});
const specialTokensSchema = z.object({ ...roles, ...extras });

export type Role = keyof typeof roles;
export type TokenizerConfig = z.output<typeof configSchema>;

export interface SpecialTokens<R extends Role> {
  readonly config: TokenizerConfig;
  /** The token of each role that the tokenizer's class has. */
  readonly roles: Readonly<Record<R, AddedToken>>;
  /** All tokens to cut out of the text, in the order in which new ones get their ids. */
  readonly added: readonly AddedToken[];
}

/** The `added_tokens` of tokenizer.json. */
export const addedTokensSchema = z.array(addedTokenSchema).default([]);

/**
 * Read tokenizer_config.json, special_tokens_map.json and added_tokens.json of `folder`, each optional.
 *
 * Precedence is that of transformers: files written since 2023 list every added token in tokenizer_config.json
 * (`added_tokens_decoder`); without that list, special_tokens_map.json overrides tokenizer_config.json. So Stable Diffusion 2
 * pads with "!", which its special_tokens_map.json says and its tokenizer_config.json does not.
 *
 * @param defaults the tokens that the tokenizer's class has when no file says otherwise
 * @param inTokenizerJson the `added_tokens` of tokenizer.json
 * @throws ModelError naming the file and the entry that does not fit
 */
export async function readSpecialTokens<R extends Role>(
  folder: string,
  defaults: Readonly<Record<R, string>>,
  inTokenizerJson: readonly AddedToken[],
): Promise<SpecialTokens<R>> {
  const config = (await readOptionalJson(folder, "tokenizer_config.json", configSchema)) ?? configSchema.parse({});
  let settings: z.output<typeof specialTokensSchema> = config;
  const added = new Map<string, AddedToken>();
  const add = (tokens: Iterable<AddedToken>) => {
    for (const token of tokens) added.set(token.content, token);
  };
  if (config.added_tokens_decoder) {
    const byId = Object.entries(config.added_tokens_decoder).sort(([a], [b]) => Number(a) - Number(b));
    add(byId.map(([, token]) => token));
  } else {
    settings = { ...config, ...(await readOptionalJson(folder, "special_tokens_map.json", specialTokensSchema)) };
    const legacy = (await readOptionalJson(folder, "added_tokens.json", z.record(z.string(), z.number()))) ?? {};
    const byId = Object.entries(legacy).sort(([, a], [, b]) => a - b);
    add(byId.map(([content]) => ({ content, normalized: !isSpecial(settings, content) })));
    add(inTokenizerJson);
  }
  const named = new Map<string, AddedToken>();
  for (const role of Object.keys(roles) as Role[]) {
    const setting = settings[role] ?? token((defaults as Partial<Record<Role, string>>)[role]);
    if (setting) named.set(role, added.get(setting.content) ?? setting);
  }
  const others = [...(settings.additional_special_tokens ?? []), ...(settings.extra_special_tokens ?? [])];
  add([...named.values(), ...others.filter(({ content }) => !added.has(content))]);
  return { config, roles: Object.fromEntries(named) as Record<R, AddedToken>, added: [...added.values()] };
}

const token = (content: string | undefined): AddedToken | undefined =>
  content === undefined ? undefined : { content, normalized: false };

function isSpecial(settings: z.output<typeof specialTokensSchema>, content: string): boolean {
  return (Object.keys(roles) as Role[]).some((role) => settings[role]?.content === content);
}
