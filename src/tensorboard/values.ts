import type { PromptedPicture, RunEvent } from "../runs/events.ts";
import type { TaggedValue } from "./messages.ts";

/** How a run's events appear in TensorBoard. */

/** Reads a picture of the run by its path in the run's folder. */
export type PictureReader = (path: string) => Uint8Array;

/** Where curves are shown, by their names; others under loss/NAME. */
export type CurveTags = Readonly<Record<string, string>>;

/** Of curves that every method may have. */
const TAGS: CurveTags = { d: "training/d" };

/** The values of an event at its step; none for events that have nothing to plot. */
export function valuesOf(
  event: RunEvent,
  readPicture: PictureReader,
  tags: CurveTags = {},
): { step: number; values: TaggedValue[] } {
  switch (event.type) {
    case "starting-picture":
      return { step: 0, values: [picture(event.use, event, readPicture)] };
    case "step": {
      const { step, curves, gradNorm, lossScale, seconds } = event;
      return {
        step,
        values: [
          ...Object.entries(curves).map(([name, scalar]) => ({
            tag: tags[name] ?? TAGS[name] ?? `loss/${name}`,
            scalar,
          })),
          ...(gradNorm === undefined ? [] : [{ tag: "training/gradNorm", scalar: gradNorm }]),
          ...(lossScale === undefined ? [] : [{ tag: "training/lossScale", scalar: lossScale }]),
          { tag: "training/secondsPerStep", scalar: seconds },
        ],
      };
    }
    case "round": {
      const { step, images } = event;
      return {
        step,
        values: [
          { tag: "round/alignI", scalar: mean(images.map(({ alignI }) => alignI)) },
          { tag: "round/alignT", scalar: mean(images.map(({ alignT }) => alignT)) },
          ...images.map((image) => picture(`round ${image.use}`, image, readPicture)),
        ],
      };
    }
    case "validation": {
      const { step, reward, standardError, images } = event;
      return {
        step,
        values: [
          { tag: "reward/mean", scalar: reward },
          { tag: "reward/standardError", scalar: standardError },
          { tag: "reward/alignI", scalar: mean(images.map(({ alignI }) => alignI)) },
          { tag: "reward/alignT", scalar: mean(images.map(({ alignT }) => alignT)) },
          ...images.map((image) => picture("validation", image, readPicture)),
        ],
      };
    }
    case "best":
      return { step: event.step, values: [{ tag: "reward/best", scalar: event.reward }] };
    case "anchors":
    case "start":
    case "stop":
    case "error":
      return { step: 0, values: [] };
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, x) => sum + x, 0) / values.length;
}

/**
 * A picture under the tag of its kind, its prompt's number, its own and the prompt: "validation/03-1 a dog in the snow". The step is not in
 * the tag, so that TensorBoard's slider goes through the validations.
 */
function picture(
  kind: string,
  { image, prompt, promptIndex, index }: PromptedPicture,
  read: PictureReader,
): TaggedValue {
  return { tag: `${kind}/${String(promptIndex).padStart(2, "0")}-${index} ${prompt}`, png: read(image) };
}
