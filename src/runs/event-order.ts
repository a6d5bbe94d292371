import type { RunEvent, ScoredImage, ValidationEvent } from "./events.ts";

/**
 * What docs/run-folder.md promises of a log's lines together. Readers compare validations picture by picture and draw steps along an axis;
 * a line that is missing, doubled or of another run would give them wrong figures.
 *
 * @returns a function that takes the events one after the other, and says what is wrong with one; undefined for one that follows
 */
export function followEvents(): (event: RunEvent) => string | undefined {
  let step = 0;
  let first: ValidationEvent | undefined;
  let last: ValidationEvent | undefined;
  let prompts = Infinity;
  let round = -1;
  return (event) => {
    switch (event.type) {
      case "step":
        if (event.step !== step + 1) return `step ${event.step} after step ${step}, expected ${step + 1}`;
        step = event.step;
        return undefined;
      case "validation": {
        if (last !== undefined && event.step <= last.step)
          return `a validation of step ${event.step} after that of step ${last.step}`;
        if (event.step < step) return `a validation of step ${event.step} after step ${step}`;
        first ??= event;
        last = event;
        if (event.images.some(({ promptIndex }) => promptIndex >= prompts))
          return `a picture of a prompt that has no anchors: there are ${prompts}`;
        return differenceOf(first, event);
      }
      case "anchors":
        if (prompts === Infinity) prompts = event.prompts.length;
        return undefined;
      case "round":
        if (event.step !== step) return `a round of step ${event.step} after step ${step}`;
        if (event.step <= round) return `a second round of step ${event.step}`;
        round = event.step;
        return undefined;
      case "start":
      case "starting-picture":
      case "best":
      case "stop":
      case "error":
        return undefined;
    }
  };
}

/** In what a validation's pictures are others than the first one's: every one has the same prompts and noises in the same order. */
function differenceOf(first: ValidationEvent, { images }: ValidationEvent): string | undefined {
  const expected = `expected the same prompts and seeds as at step ${first.step}`;
  if (images.length !== first.images.length)
    return `${images.length} pictures where step ${first.step} has ${first.images.length}, ${expected}`;
  const other = images.findIndex((image, i) => !isSame(image, first.images[i]));
  return other < 0 ? undefined : `picture ${other} has another prompt or seed, ${expected}`;
}

function isSame(a: ScoredImage, b: ScoredImage): boolean {
  return a.prompt === b.prompt && a.seed === b.seed;
}
