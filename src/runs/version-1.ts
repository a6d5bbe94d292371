import { z } from "zod";
import { UsageError } from "../system/errors.ts";
import { isRecord, parseAs } from "../system/json.ts";
import { amount, measured, share, wholeFrom } from "../system/numbers.ts";
import { WHOLE } from "../settings/limits.ts";
import { imagePath, MOST_PICTURES, picturePrompt, pictureSeed, sha256, stepNumber } from "./event-fields.ts";
import type { RunEvent } from "./events.ts";

/**
 * Version 1 of a run's log, which knew RPO alone: a step's losses had keys of their own, the starting model's pictures were negatives, and
 * files' names said which prompt a picture was of. It is read for ever, and a run that began with it goes on in it.
 */

const picture = z.object({
  prompt: picturePrompt,
  seed: pictureSeed,
  alignT: share,
  image: imagePath,
  sha256: sha256.optional(),
});
const negative = picture.extend({ type: z.literal("negative") });
const step = z.object({
  type: z.literal("step"),
  step: wholeFrom(...WHOLE.steps),
  sim: amount,
  pref: measured,
  margin: measured,
  label: share,
  gradNorm: amount,
  seconds: amount,
});
const validation = z.object({
  type: z.literal("validation"),
  step: stepNumber,
  lambda: share,
  reward: share,
  standardError: share,
  images: z
    .array(picture.extend({ alignI: share }))
    .min(1)
    .max(MOST_PICTURES),
});

/**
 * An event in the form of version 1, as it is today; undefined for one that is the same in both, or none.
 * @param where for the message
 * @throws UsageError when it is damaged
 */
export function parseVersion1(value: unknown, where: string): RunEvent | undefined {
  if (!isRecord(value)) return undefined;
  switch (value["type"]) {
    case "negative": {
      const event = parseAs(negative, value, where, UsageError);
      return { ...event, type: "starting-picture", use: "negative", ...placeOf(event.image, 0) };
    }
    case "step": {
      if ("curves" in value) return undefined;
      const { sim, pref, margin, label, ...event } = parseAs(step, value, where, UsageError);
      return { ...event, curves: { loss: sim + pref, sim, pref, margin, label } };
    }
    case "validation": {
      const { images } = value;
      if (!Array.isArray(images) || images.some((image) => isRecord(image) && "promptIndex" in image)) return undefined;
      const event = parseAs(validation, value, where, UsageError);
      return { ...event, images: event.images.map((image, i) => ({ ...image, ...placeOf(image.image, i) })) };
    }
    default:
      return undefined;
  }
}

/** "images/negative-03-1.png": picture 1 of prompt 3. Of other names the place in the list has to do. */
function placeOf(image: string, place: number): { readonly promptIndex: number; readonly index: number } {
  const numbers = /(\d{1,4})-(\d{1,4})\.png$/.exec(image);
  return numbers === null
    ? { promptIndex: 0, index: place }
    : { promptIndex: Number(numbers[1]), index: Number(numbers[2]) };
}

/** An event as version 1 wrote it. */
export function asVersion1(event: RunEvent): object {
  switch (event.type) {
    case "starting-picture": {
      const { prompt, seed, alignT, image, sha256: digest } = event;
      return { type: "negative", prompt, seed, alignT, image, sha256: digest };
    }
    case "step": {
      const { curves, gradNorm, seconds } = event;
      const { sim = 0, pref = 0, margin = 0, label = 0 } = curves;
      return { type: "step", step: event.step, sim, pref, margin, label, gradNorm, seconds };
    }
    case "validation":
      return {
        ...event,
        images: event.images.map(({ prompt, seed, alignI, alignT, image, sha256: digest }) => ({
          ...{ prompt, seed, alignI, alignT, image },
          sha256: digest,
        })),
      };
    case "round":
    case "start":
    case "anchors":
    case "best":
    case "stop":
    case "error":
      return event;
  }
}
