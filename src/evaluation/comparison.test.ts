import { expect, test } from "vitest";
import { compareModels } from "./comparison.ts";
import { isSignificant } from "../reward/judged.ts";

const pictures = (alignI: number, alignT: number) => [
  { alignI: alignI - 0.01, alignT },
  { alignI: alignI + 0.01, alignT },
];
const run = [
  { step: 0, images: pictures(0.6, 0.9) },
  { step: 20, images: pictures(0.75, 0.85) },
  { step: 40, images: pictures(0.9, 0.6) },
];
const photosAlone = { step: 40, images: pictures(0.95, 0.4) };

test("each lambda has its own choice, and photos alone are never chosen", () => {
  const table = compareModels(run, photosAlone, [0, 0.5, 1]);
  expect(table.map(({ label, step, chosenAt }) => [label, step, chosenAt])).toEqual([
    ["starting model", 0, undefined],
    ["photos alone (L_sim)", 40, undefined],
    ["RPO, λ 0", 0, 0],
    ["RPO, λ 0.5", 20, 0.5],
    ["RPO, λ 1", 40, 1],
  ]);
});

test("rewards, alignments and paired gains are right by hand", () => {
  const [start, alone, atZero, atOne] = compareModels(run, photosAlone, [0, 1]);
  expect(start.rewards.map(({ mean }) => mean)).toEqual([expect.closeTo(0.9, 9), expect.closeTo(0.6, 9)]);
  expect(start.gains).toEqual([
    { mean: 0, standardError: 0 },
    { mean: 0, standardError: 0 },
  ]);
  expect(alone.alignI.mean).toBeCloseTo(0.95, 9);
  expect(alone.alignI.standardError).toBeCloseTo(0.01, 9); // ± .01: deviation .0141 / √2
  expect(alone.gains[1].mean).toBeCloseTo(0.35, 9);
  expect(alone.gains[1].standardError).toBeCloseTo(0, 9); // both pictures rise alike
  expect(atZero.step).toBe(0);
  expect(atOne.step).toBe(40);
  expect(atOne.gains[1].mean).toBeCloseTo(0.3, 9); // .9 - .6
  expect(atOne.rewards[0].mean).toBeCloseTo(0.6, 9);
});

test("a gain counts from twice its standard error on", () => {
  expect(isSignificant({ mean: 0.021, standardError: 0.01 })).toBe(true);
  expect(isSignificant({ mean: 0.019, standardError: 0.01 })).toBe(false);
  expect(isSignificant({ mean: -0.1, standardError: 0.01 })).toBe(false);
  expect(isSignificant({ mean: 0.1, standardError: 0 })).toBe(false); // of a single picture
});

test("a run without validations cannot be compared", () => {
  expect(() => compareModels([], photosAlone, [0.5])).toThrow(RangeError);
});
