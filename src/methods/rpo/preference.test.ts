import { expect, test } from "vitest";
import { Random } from "../../tensor/random.ts";
import { labelOf, preferencePhoto } from "./preference.ts";

test("equal rewards prefer neither, a higher one its picture, and the scale multiplies the difference", () => {
  expect(preferencePhoto(0.6, 0.6, 1)).toBe(0.5);
  // σ(ln 3) = 3/4
  expect(preferencePhoto(Math.log(3), 0, 1)).toBeCloseTo(0.75, 12);
  expect(preferencePhoto(0, Math.log(3), 1)).toBeCloseTo(0.25, 12);
  expect(preferencePhoto(Math.log(3) / 20, 0, 20)).toBeCloseTo(0.75, 12);
});

test("a fixed label is undecided, whatever the reward", () => {
  expect(labelOf(0.9, "fixed", new Random(0))).toBe(0.5);
});

test("soft labels are the probability, sampled ones 0 or 1 with that mean", () => {
  const rng = new Random(0);
  expect(labelOf(0.7, "soft", rng)).toBe(0.7);
  const labels = Array.from({ length: 4000 }, () => labelOf(0.7, "sampled", rng));
  expect(new Set(labels)).toEqual(new Set([0, 1]));
  // five standard errors: 5 √(.7 · .3 / 4000)
  expect(Math.abs(labels.reduce((a, b) => a + b, 0) / labels.length - 0.7)).toBeLessThan(0.037);
});
