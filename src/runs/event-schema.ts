import { z } from "zod";
import { REWARD_FORMS } from "../settings/reward-form.ts";
import { MOST_CONCEPTS } from "../settings/concepts.ts";
import { MOST_PROMPTS, WHOLE } from "../settings/limits.ts";
import { UsageError } from "../system/errors.ts";
import { parseAs } from "../system/json.ts";
import { amount, measured, share, wholeFrom } from "../system/numbers.ts";
import { imagePath, MOST_PICTURES, picturePrompt, pictureSeed, sha256, stepNumber } from "./event-fields.ts";
import type { PromptedPicture, RoundImage, RunEvent, ScoredImage, StartingPictureEvent } from "./events.ts";
import { parseVersion1 } from "./version-1.ts";

/** Numbers as docs/run-folder.md has them: a log may be damaged or from elsewhere, and what is read is drawn and added up. */

/** Letters of the name of a curve or of a use. */
const MOST_LETTERS = 100;
/** Curves of a step. */
const MOST_CURVES = 100;

const TOO_MANY = `expected at most ${MOST_CURVES} curves`;

function isOfFewCurves(curves: object): boolean {
  return Object.keys(curves).length <= MOST_CURVES;
}

const name = z.string().max(MOST_LETTERS, `expected a name of at most ${MOST_LETTERS} letters`);

const subject = wholeFrom(0, MOST_CONCEPTS - 1).optional();

const drawnPicture = z.object({
  subject,
  prompt: picturePrompt,
  text: picturePrompt.optional(),
  promptIndex: wholeFrom(0, MOST_PROMPTS - 1),
  index: wholeFrom(0, WHOLE.validationImages[1] - 1),
  seed: pictureSeed,
  image: imagePath,
  sha256: sha256.optional(),
}) satisfies z.ZodType<PromptedPicture>;

const startingPicture = drawnPicture.extend({
  type: z.literal("starting-picture"),
  use: name,
  alignT: share.optional(),
}) satisfies z.ZodType<StartingPictureEvent>;

const scoredImage = drawnPicture.extend({
  alignI: share,
  alignT: share,
  nearestI: share.optional(),
}) satisfies z.ZodType<ScoredImage>;

const roundImage = scoredImage.extend({ use: name }) satisfies z.ZodType<RoundImage>;

/** A bucket's sides are at most twice the resolution, and may be a few pixels. */
const bucketSide = wholeFrom(1, 2 * WHOLE.resolution[1]);

const bucket = z.object({
  width: bucketSide,
  height: bucketSide,
  cut: share,
});

const eventSchema = z.discriminatedUnion(
  "type",
  [
    z.object({
      type: z.literal("start"),
      time: z.string(),
      version: z.string(),
      photos: z.array(z.object({ image: imagePath, sha256, subject, bucket: bucket.optional() })).optional(),
      closestI: share.optional(),
    }),
    z.object({
      type: z.literal("anchors"),
      photosI: share,
      prompts: z
        .array(z.object({ photosT: share, likeness: z.boolean() }))
        .min(1)
        .max(MOST_PROMPTS),
    }),
    startingPicture,
    z.object({
      type: z.literal("step"),
      step: wholeFrom(...WHOLE.steps),
      curves: z.record(name, measured).refine(isOfFewCurves, TOO_MANY),
      photo: wholeFrom(0, Number.MAX_SAFE_INTEGER).optional(),
      photos: z.array(wholeFrom(0, Number.MAX_SAFE_INTEGER)).max(MOST_PICTURES).optional(),
      startingPicture: imagePath.optional(),
      startingPictures: z.array(imagePath).max(MOST_PICTURES).optional(),
      roundPictures: z.array(imagePath).max(MOST_PICTURES).optional(),
      gradNorm: amount.optional(),
      lossScale: amount.optional(),
      seconds: amount,
    }),
    z.object({
      type: z.literal("round"),
      step: stepNumber,
      images: z.array(roundImage).min(1).max(MOST_PICTURES),
      before: z.record(name, z.array(measured).max(WHOLE.steps[1])).refine(isOfFewCurves, TOO_MANY).optional(),
    }),
    z.object({
      type: z.literal("validation"),
      step: stepNumber,
      extra: z.literal(true).optional(),
      lambda: share,
      reward: share,
      standardError: amount,
      form: z.enum(REWARD_FORMS).optional(),
      otherReward: share.optional(),
      likeness: measured.optional(),
      obedience: measured.optional(),
      images: z.array(scoredImage).min(1).max(MOST_PICTURES),
    }),
    z.object({ type: z.literal("best"), step: stepNumber, reward: share }),
    z.object({
      type: z.literal("stop"),
      step: stepNumber,
      reason: z.enum(["patience", "loss", "steps", "interrupted"]),
    }),
    z.object({ type: z.literal("error"), step: stepNumber, message: z.string() }),
  ],
  { error: ({ code }) => (code === "invalid_union" ? "no event of a run" : undefined) },
) satisfies z.ZodType<RunEvent>;

/**
 * A line of events.jsonl, of any version.
 * @param where for the message, such as "events.jsonl: line 3"
 * @throws UsageError when it is no event
 */
export function parseEvent(value: unknown, where: string): RunEvent {
  return parseVersion1(value, where) ?? parseAs(eventSchema, value, where, UsageError);
}
