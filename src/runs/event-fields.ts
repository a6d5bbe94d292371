import { z } from "zod";
import { MOST_PROMPTS, WHOLE } from "../settings/limits.ts";
import { staysInside } from "../system/inside.ts";
import { wholeFrom } from "../system/numbers.ts";
import { MOST_CHARACTERS } from "../text/tokenizer.ts";

/** Parts of events, in logs of every version. */

export const stepNumber = wholeFrom(0, WHOLE.steps[1]);

export const pictureSeed = wholeFrom(...WHOLE.seed);

export const picturePrompt = z.string().max(MOST_CHARACTERS, `expected a prompt of at most ${MOST_CHARACTERS} letters`);

const MOST_PATH = 1000;

/** A picture of the run; reports show it, and are handed on. */
export const imagePath = z
  .string()
  .max(MOST_PATH, `expected a path of at most ${MOST_PATH} letters`)
  .refine(staysInside, "expected a path in the run's folder");

export const sha256 = z.string().regex(/^[0-9a-f]{64}$/, "expected a SHA-256");

/** Pictures of a validation. */
export const MOST_PICTURES = MOST_PROMPTS * WHOLE.validationImages[1];
