import { expect, test } from "vitest";
import { advantageOf, weightsAt } from "./shaping.ts";

const even = { image: 0.5, text: 0.5 };
/** Both alignments as standard scores: of -1, 0, 1 the deviation is 1. */
const group = [
  { alignI: -1, alignT: 1 },
  { alignI: 0, alignT: 0 },
  { alignI: 1, alignT: -1 },
];
const both = group.map(({ alignI }) => ({ alignI, alignT: alignI }));

test("by hand: good in both gains γ tanh 1, bad in both and good in one alone lose it", () => {
  const bonus = 0.4 * Math.tanh(1);
  expect(advantageOf(both[2], both, 0.4, even)).toBeCloseTo(1 + bonus, 6);
  expect(advantageOf(both[0], both, 0.4, even)).toBeCloseTo(-1 - bonus, 6);
  expect(advantageOf(group[0], group, 0.4, even)).toBeCloseTo(-bonus, 6);
  expect(advantageOf(group[2], group, 0, { image: 0.7, text: 0.3 })).toBeCloseTo(0.4, 6);
});

test("equal pictures have no advantage", () => {
  const same = { alignI: 0.5, alignT: 0.5 };
  expect(advantageOf(same, [same, same], 0.4, even)).toBe(0);
});

test("the prompt counts most in much noise, likeness in little, and both the same at the end", () => {
  expect(weightsAt(1)).toEqual({ image: 1 - 0.7, text: 0.7 });
  expect(weightsAt(0.6).text).toBeCloseTo(0.5, 12); // step 10 of 25
  expect(weightsAt(0.2).text).toBeCloseTo(0.3, 2);
  expect(weightsAt(0.01).text).toBe(0.5);
});
