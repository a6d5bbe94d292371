import { expect, test } from "vitest";
import type { ValidationEvent } from "../runs/events.ts";
import { HARMONIC } from "../reward/scale.ts";
import { copiesOf, verdictOf } from "./verdict.ts";

/** Pictures whose text alignment is 1, so that at λ = 1 the reward is the likeness. */
function validation(step: number, likeness: readonly number[], nearest: readonly number[] = likeness): ValidationEvent {
  const images = likeness.map((alignI, i) => ({
    prompt: "a dog",
    promptIndex: 0,
    index: i,
    seed: i,
    alignI,
    alignT: 1,
    nearestI: nearest[i],
    image: `images/${i}.png`,
  }));
  return { type: "validation", step, lambda: 1, reward: 0, standardError: 0, images };
}

test("a difference of less than twice its standard error may be chance, by hand", () => {
  const validations = [
    // to the best: .21, .19, .21, .19: mean .2, deviation .01155, error .00577
    validation(0, [0.49, 0.51, 0.49, 0.51]),
    // differences to the best: .01, .05, -.03, .03: mean .015, deviation .0342, error .0171
    validation(10, [0.69, 0.65, 0.73, 0.67]),
    validation(20, [0.7, 0.7, 0.7, 0.7]),
  ];
  const { best, candidates } = verdictOf({ validations, scale: HARMONIC, closestI: undefined }, 1);
  expect(best?.step).toBe(20);
  expect(candidates.map(({ mayBeBest }) => mayBeBest)).toEqual([false, true, true]);
  expect(candidates[1].behind?.mean).toBeCloseTo(0.015, 12);
  expect(candidates[1].behind?.standardError).toBeCloseTo(0.01708, 4);
  expect(candidates[0].behind).toEqual({
    mean: expect.closeTo(0.2, 12) as number,
    standardError: expect.closeTo(0.005774, 5) as number,
  });
});

test("a picture copies a photo when it is nearer to it than any two photos are to each other", () => {
  const { images } = validation(10, [0.5, 0.5, 0.5], [0.89, 0.9, 0.91]);
  expect(copiesOf(images, 0.9)).toBe(1);
  expect(copiesOf(images, undefined)).toBeUndefined();
});

test("what is gone is told, and the best of what is there advised", () => {
  const validations = [validation(0, [0.5, 0.5]), validation(10, [0.7, 0.71]), validation(20, [0.9, 0.91])];
  const gone = new Map([[20, "dog-20.safetensors: no longer there"]]);
  const { best, bestOfAll, keep, missed, candidates } = verdictOf(
    { validations, scale: HARMONIC, closestI: undefined },
    1,
    gone,
  );
  expect([best?.step, bestOfAll?.step]).toEqual([10, 20]);
  expect(keep.map(({ step }) => step)).not.toContain(20);
  expect(keep.at(-1)).toMatchObject({ step: 10, to: 1 });
  expect(missed).toEqual([expect.objectContaining({ step: 20, to: 1 })]);
  expect(candidates.map(({ gone: problem }) => problem)).toEqual([undefined, undefined, gone.get(20)]);
});

test("a file that is gone is not missed where another is as good", () => {
  const validations = [validation(0, [0.5, 0.5]), validation(10, [0.7, 0.71]), validation(20, [0.7, 0.71])];
  const { best, bestOfAll, missed } = verdictOf(
    { validations, scale: HARMONIC, closestI: undefined },
    1,
    new Map([[10, "dog-10.safetensors: no longer there"]]),
  );
  expect([best?.step, bestOfAll?.step, missed]).toEqual([20, 20, []]);
});

test("every lambda has a checkpoint to keep, and nothing is said of nothing", () => {
  const validations = [validation(0, [0.5, 0.5]), validation(10, [0.7, 0.7])];
  const { keep } = verdictOf({ validations, scale: HARMONIC, closestI: undefined }, 1);
  expect(keep[0].from).toBe(0);
  expect(keep.at(-1)).toMatchObject({ step: 10, to: 1 });
  expect(verdictOf({ validations: [], scale: HARMONIC, closestI: undefined }, 1)).toMatchObject({
    best: undefined,
    candidates: [],
    keep: [],
  });
});
