import { z } from "zod";
import { WHOLE } from "../../settings/limits.ts";
import { strayCharacter } from "../../system/characters.ts";
import { wholeFrom } from "../../system/numbers.ts";

/** The form of what a picture was drawn with. */

const MOST_LETTERS = 100_000;
export const MOST_FILES = 100;
const MOST_TOGETHER = 64;
const words = z
  .string()
  .max(MOST_LETTERS)
  .refine((text) => strayCharacter(text) === undefined);
export const name = z.string().max(1000);
const hash = z.string().regex(/^[0-9a-f]{64}$/);

/** A model or a file: what it is called, and which it was. */
const named = z.strictObject({ name, hash });

/** What was drawn together with a picture, whose last bits depend on it. */
const together = z.strictObject({ prompt: words, seed: wholeFrom(...WHOLE.seed) });

export const recordSchema = z.strictObject({
  /** Of rpo. */
  version: name,
  prompt: words,
  negative: words.optional(),
  promptWeights: z.boolean().optional(),
  seed: z.number(),
  sampler: name,
  steps: z.number(),
  guidance: z.number(),
  height: z.number(),
  width: z.number(),
  model: named,
  variant: name.optional(),
  vae: named.optional(),
  prediction: name.optional(),
  adapter: named.optional(),
  /** A photo that DisenBooth's image adapter made something of, how much that counted, and what read it. */
  photo: named.extend({ weight: z.number(), textWeight: z.number(), encoder: named }).optional(),
  /** The identifier of the adapter. */
  token: name.optional(),
  loras: z.array(named.extend({ weight: z.number() })).max(MOST_FILES),
  embeddings: z.array(named.extend({ word: name.optional() })).max(MOST_FILES),
  machine: z.strictObject({
    threads: z.number(),
    device: name.optional(),
    precision: name.optional(),
    engine: name,
    platform: name,
  }),
  batch: z
    .strictObject({ pictures: z.array(together).min(1).max(MOST_TOGETHER), at: wholeFrom(0, MOST_TOGETHER - 1) })
    .refine(({ pictures, at }) => at < pictures.length),
});

export type PictureRecord = z.output<typeof recordSchema>;

/** All of a record but what each picture has of its own. */
export type CommonRecord = Omit<PictureRecord, "prompt" | "seed" | "batch">;

/** A model or a file, and which it was. */
export type Named = z.output<typeof named>;
