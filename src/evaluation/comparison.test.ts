import { expect, test } from "vitest";
import { isSignificant } from "../reward/judged.ts";
import { HARMONIC } from "../reward/scale.ts";
import { compareModels } from "./comparison.ts";

const pictures = (alignI: number, alignT: number) => [
  { alignI: alignI - 0.01, alignT },
  { alignI: alignI + 0.01, alignT },
];
const run = [
  { step: 0, images: pictures(0.6, 0.9) },
  { step: 20, images: pictures(0.75, 0.85) },
  { step: 40, images: pictures(0.9, 0.6) },
];
const alone = [
  { step: 0, images: pictures(0.6, 0.9) },
  { step: 20, images: pictures(0.7, 0.8) },
  { step: 40, images: pictures(0.95, 0.4) },
];
const compare = (lambdas: readonly number[]) => compareModels(run, alone, { lambdas, scale: HARMONIC });

test("each model once: the start, of both runs the last and what the lambdas choose, with the lambdas that do", () => {
  expect(compare([0, 0.5, 1]).map(({ label, step, chosenAt }) => [label, step, chosenAt])).toEqual([
    ["starting model", 0, [0]],
    ["photos alone (L_sim)", 20, [0.5]], // .747 against .72 and .563
    ["photos alone (L_sim)", 40, [1]],
    ["RPO", 20, [0.5]],
    ["RPO", 40, [1]],
  ]);
  expect(compare([0]).map(({ label, step }) => [label, step])).toEqual([
    ["starting model", 0],
    ["photos alone (L_sim)", 40],
    ["RPO", 40],
  ]);
});

test("rewards, alignments and paired gains are right by hand", () => {
  const [start, last, chosen] = compare([0, 1]);
  expect(start.rewards.map(({ mean }) => mean)).toEqual([expect.closeTo(0.9, 9), expect.closeTo(0.6, 9)]);
  expect(start.gains).toEqual([
    { mean: 0, standardError: 0 },
    { mean: 0, standardError: 0 },
  ]);
  expect(last.alignI.mean).toBeCloseTo(0.95, 9);
  expect(last.alignI.standardError).toBeCloseTo(0.01, 9); // ± .01: deviation .0141 / √2
  expect(last.gains[1].mean).toBeCloseTo(0.35, 9);
  expect(last.gains[1].standardError).toBeCloseTo(0, 9); // both pictures rise alike
  expect([chosen.label, chosen.step]).toEqual(["RPO", 40]);
  expect(chosen.gains[1].mean).toBeCloseTo(0.3, 9); // .9 - .6
  expect(chosen.rewards[0].mean).toBeCloseTo(0.6, 9);
});

test("a gain counts from twice its standard error on", () => {
  expect(isSignificant({ mean: 0.021, standardError: 0.01 })).toBe(true);
  expect(isSignificant({ mean: 0.019, standardError: 0.01 })).toBe(false);
  expect(isSignificant({ mean: -0.1, standardError: 0.01 })).toBe(false);
  expect(isSignificant({ mean: 0.1, standardError: 0 })).toBe(false); // of a single picture
});

test("a run without validations cannot be compared", () => {
  expect(() => compareModels([], alone, { lambdas: [0.5], scale: HARMONIC })).toThrow(RangeError);
});
