import { z } from "zod";
import { ModelError } from "../../system/errors.ts";
import { isRecord } from "../../system/json.ts";

/** What reading any `config.json` takes: typed values, and errors that name file, key, value and what was expected. */

/**
 * Limits far above any model, for what comes with a checkpoint may be damaged or hostile. Weights confirm what has parameters: a graph is
 * built no further than they reach (checkpoints/part.ts). What has none, such as the size of pictures, has no other limit than these.
 */
const MOST = 2 ** 20;
const MOST_LAYERS = 200;
const MOST_LEVELS = 10;
/** Of one text. */
const MOST_TOKENS = 1024;
/** On a side of the pictures that an encoder reads. */
const MOST_PIXELS = 1024;
/** On a side of a picture: attention among the patches of 64 x 64 has 16 million scores a head. */
const MOST_PATCHES = 64;

const wholeNumber = (most: number) =>
  z
    .number(`expected a whole number from 1 to ${most}`)
    .refine((x) => Number.isSafeInteger(x) && x >= 1 && x <= most, `expected a whole number from 1 to ${most}`);

/** Channels, heads, words. */
export const count = wholeNumber(MOST);
/** The longest text, in tokens. */
export const textLength = wholeNumber(MOST_TOKENS);
/** Of a picture: photos have red, green and blue. */
export const colours = z.literal(3, "expected 3, for red, green and blue");
/** Layers, which each cost many nodes. */
export const depth = wholeNumber(MOST_LAYERS);
/** A list with an entry for each of a model's levels, of which each halves the picture. */
export const levels = <Item extends z.ZodType>(item: Item) =>
  z
    .array(item, "expected a list with an entry for each level")
    .min(1, "expected a level or more")
    .max(MOST_LEVELS, `expected at most ${MOST_LEVELS} levels`);
const positive = (least: number, most: number) => {
  const expected = `expected a number from ${least} to ${most}`;
  return z.number(expected).min(least, expected).max(most, expected);
};
/** Added to a variance, so that nothing is divided by zero: above 0 as float32 too. */
export const epsilon = positive(1e-20, 1);
/** What latents are multiplied by. */
export const factor = positive(1e-3, 1e3);

/** The side of a square, for which a list has height and width. */
export function squareSide(value: number | readonly [height: number, width: number], context: z.RefinementCtx): number {
  const [height, width] = typeof value === "number" ? [value, value] : value;
  if (height !== width) context.addIssue({ code: "custom", message: "only squares are supported" });
  return height;
}

/** Height and width in pixels, which transformers writes as one number where they are equal. */
export const side = squareOf(MOST_PIXELS);

/** One number, or height and width of a square. */
export function squareOf(most: number) {
  const edge = wholeNumber(most);
  return z
    .union([edge, z.tuple([edge, edge])], `expected a whole number from 1 to ${most}, or height and width of a square`)
    .transform(squareSide);
}

/** For keys that change the result: the values that are supported. A key that is absent has one of them by default. */
export type Supported = Readonly<Record<string, readonly unknown[]>>;

/**
 * Parses the keys that `schema` names; others are passed over, unless they are in `supported` and have another value.
 * @param where file and place in it, e.g. `vae/config.json` or `config.json: text_config`
 * @throws ModelError
 */
export function parseConfig<Schema extends z.ZodType>(
  schema: Schema,
  json: unknown,
  where: string,
  supported: Supported = {},
): z.output<Schema> {
  if (!isRecord(json))
    throw new ModelError(`${where}: expected an object with the model's settings, got ${show(json)}`);
  for (const [key, allowed] of Object.entries(supported))
    if (json[key] !== undefined && !allowed.includes(json[key]))
      throw new ModelError(
        `${where}: ${key} ${show(json[key])} is not supported, only ${allowed.map(show).join(" or ")}`,
      );
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const value = issue.path.reduce<unknown>(
    (inner, key) =>
      typeof inner === "object" && inner !== null ? (inner as Record<PropertyKey, unknown>)[key] : inner,
    json,
  );
  throw new ModelError(`${where}: ${issue.path.join(".")} is ${show(value)}: ${issue.message}`);
}

/** @throws ModelError unless `heads` share `features` equally. */
export function checkHeads(features: number, heads: number, where: string): void {
  if (features % heads !== 0)
    throw new ModelError(`${where}: hidden_size ${features} is no multiple of num_attention_heads ${heads}`);
}

/** @throws ModelError unless a picture has a patch or more, and no more than attention can take */
export function checkPatches({ image_size, patch_size }: { image_size: number; patch_size: number }, where: string) {
  if (patch_size > image_size)
    throw new ModelError(`${where}: patch_size ${patch_size} is larger than image_size ${image_size}`);
  if (image_size / patch_size > MOST_PATCHES)
    throw new ModelError(
      `${where}: image_size ${image_size} in patches of patch_size ${patch_size}: expected at most ${MOST_PATCHES} on a side`,
    );
}

/** @throws ModelError unless the lists under these keys are as long as the first of them. */
export function checkLengths(lists: Readonly<Record<string, readonly unknown[]>>, where: string): void {
  const [[firstKey, first], ...others] = Object.entries(lists);
  for (const [key, list] of others)
    if (list.length !== first.length)
      throw new ModelError(`${where}: ${firstKey} has ${first.length} entries but ${key} ${list.length}`);
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
