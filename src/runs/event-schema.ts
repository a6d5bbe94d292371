import { z } from "zod";
import { staysInside } from "../system/inside.ts";
import { amount, measured, share, wholeFrom } from "../system/numbers.ts";
import { MOST_CHARACTERS } from "../text/tokenizer.ts";
import type { RunEvent, ScoredImage } from "./events.ts";
import { MOST_PROMPTS, WHOLE } from "../settings/limits.ts";

/** Numbers as docs/run-folder.md has them: a log may be damaged or from elsewhere, and what is read is drawn and added up. */

export const stepNumber = wholeFrom(0, WHOLE.steps[1]);
export const seed = wholeFrom(...WHOLE.seed);
const MOST_PATH = 1000;
const prompt = z.string().max(MOST_CHARACTERS, `expected a prompt of at most ${MOST_CHARACTERS} letters`);
/** A picture of the run; reports show it, and are handed on. */
const image = z
  .string()
  .max(MOST_PATH, `expected a path of at most ${MOST_PATH} letters`)
  .refine(staysInside, "expected a path in the run's folder");

export const sha256 = z.string().regex(/^[0-9a-f]{64}$/, "expected a SHA-256");

const scoredImage = z.object({
  prompt,
  seed,
  alignI: share,
  alignT: share,
  image,
  sha256: sha256.optional(),
}) satisfies z.ZodType<ScoredImage>;

/** A line of events.jsonl. */
export const eventSchema = z.discriminatedUnion(
  "type",
  [
    z.object({
      type: z.literal("start"),
      time: z.string(),
      version: z.string(),
      photos: z.array(z.object({ image, sha256 })).optional(),
    }),
    z.object({ type: z.literal("negative"), prompt, seed, alignT: share, image, sha256: sha256.optional() }),
    z.object({
      type: z.literal("step"),
      step: wholeFrom(...WHOLE.steps),
      sim: amount,
      pref: measured,
      margin: measured,
      label: share,
      gradNorm: amount,
      seconds: amount,
    }),
    z.object({
      type: z.literal("validation"),
      step: stepNumber,
      lambda: share,
      reward: share,
      standardError: share,
      images: z
        .array(scoredImage)
        .min(1)
        .max(MOST_PROMPTS * WHOLE.validationImages[1]),
    }),
    z.object({ type: z.literal("best"), step: stepNumber, reward: share }),
    z.object({ type: z.literal("stop"), step: stepNumber, reason: z.enum(["patience", "steps", "interrupted"]) }),
    z.object({ type: z.literal("error"), step: stepNumber, message: z.string() }),
  ],
  { error: ({ code }) => (code === "invalid_union" ? "no event of a run" : undefined) },
) satisfies z.ZodType<RunEvent>;
