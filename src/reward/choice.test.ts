import { expect, test } from "vitest";
import { Random } from "../tensor/random.ts";
import { bestStep, choices, LAMBDA_STEPS, untilStop } from "./choice.ts";
import { difference, judge } from "./judged.ts";
import { HARMONIC } from "./scale.ts";

/** Validations that trade text for picture alignment as they go on, with noise. */
function validations(seed: number, count = 7, pictures = 5) {
  const rng = new Random(seed);
  return Array.from({ length: count }, (_, v) => ({
    step: v * 40,
    images: Array.from({ length: pictures }, () => ({
      alignI: 0.6 + 0.05 * Math.sqrt(v) + 0.02 * rng.uniform(),
      alignT: 0.86 - 0.004 * v * v + 0.02 * rng.uniform(),
    })),
  }));
}

test("a step is the best when no other has a higher reward, and it is the first of those that have it", () => {
  const once = validations(1);
  const twice = [...once, ...once.map((validation) => ({ ...validation, step: validation.step + 400 }))];
  for (const lambda of [0, 0.5, 1]) {
    const rewards = judge(twice, lambda, HARMONIC).map(({ reward }) => reward.mean);
    expect(bestStep(twice, lambda, HARMONIC)).toEqual({
      step: 40 * rewards.indexOf(Math.max(...rewards)),
      reward: Math.max(...rewards),
    });
  }
});

test("early stopping ends where it would have ended training, and nowhere without a best", () => {
  const list = [0.5, 0.7, 0.6, 0.6, 0.9].map((align, i) => ({ step: i, images: [{ alignI: align, alignT: align }] }));
  const stop = (patience: number) => untilStop(list, { lambda: 0.5, patience, scale: HARMONIC }).at(-1)?.step;
  expect([1, 2, 3].map(stop)).toEqual([2, 3, 4]);
  const nothing = list.map(({ step }) => ({ step, images: [{ alignI: NaN, alignT: NaN }] }));
  expect(untilStop(nothing, { lambda: 0.5, patience: 1, scale: HARMONIC })).toEqual(nothing);
  expect(untilStop([], { lambda: 0.5, patience: 1, scale: HARMONIC })).toEqual([]);
});

test("a validation out of turn may be the best, and moves no end of early stopping", () => {
  const [extra, counted] = [{ extra: true } as const, {}];
  const list = ([0.5, 0.7, 0.6, 0.9, 0.6, 0.6] as const).map((align, i) => ({
    step: i,
    ...(i === 3 ? extra : counted),
    images: [{ alignI: align, alignT: align }],
  }));
  expect(bestStep(list, 0.5, HARMONIC)?.step).toBe(3);
  const stop = (patience: number) =>
    untilStop(list, { lambda: 0.5, patience, scale: HARMONIC }).map(({ step }) => step);
  expect(stop(1)).toEqual([0, 1, 2]);
  expect(stop(2)).toEqual([0, 1, 2, 3, 4]);
  expect(stop(3)).toEqual([0, 1, 2, 3, 4, 5]);
});

test("choices cover every lambda of the slider once, in order", () => {
  const list = validations(3);
  const ranges = choices(list, HARMONIC);
  expect(ranges.length).toBeGreaterThan(2);
  expect(ranges[0].from).toBe(0);
  expect(ranges.at(-1)?.to).toBe(1);
  for (const [i, { step, from, to }] of ranges.entries()) {
    expect(bestStep(list, from, HARMONIC)?.step).toBe(step);
    expect(bestStep(list, to, HARMONIC)?.step).toBe(step);
    if (i > 0) expect(from).toBeCloseTo(ranges[i - 1].to + 1 / LAMBDA_STEPS, 9);
  }
});

test("a gain is paired: the error is that of the differences, by hand", () => {
  // λ = 0: the reward is ALIGN-T; the pictures differ widely from each other, but each rises by .1 or .2
  const images = (values: number[]) => values.map((alignT) => ({ alignI: 0.5, alignT }));
  const [, later] = judge(
    [
      { step: 0, images: images([0.1, 0.7]) },
      { step: 1, images: images([0.2, 0.9]) },
    ],
    0,
    HARMONIC,
  );
  expect(later.gain.mean).toBeCloseTo(0.15, 12);
  expect(later.gain.standardError).toBeCloseTo(0.05, 12); // deviation .0707 / √2
  expect(later.reward.standardError).toBeCloseTo(0.35, 12); // deviation .495 / √2
  const pair = [images([0.1, 0.7]), images([0.2, 0.9])].map((each, step) => ({ step, images: each }));
  expect(difference(pair, [1, 0], 0, HARMONIC)).toEqual(later.gain);
});

test("without validations nothing is chosen", () => {
  expect(choices([], HARMONIC)).toEqual([]);
  expect(bestStep([], 0.5, HARMONIC)).toBeUndefined();
});
