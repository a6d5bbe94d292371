import { expect, test } from "vitest";
import { pairOf, pairsNeeded } from "./draws.ts";

const options = { seed: 3, prompts: 8, negatives: 4 };
const pairs = (from: number, count: number, seed = options.seed) =>
  Array.from({ length: count }, (_, i) => pairOf(from + i, { ...options, seed }));

test("every negative of every prompt comes once in a round of pairs", () => {
  for (const round of [0, 1])
    expect(new Set(pairs(round * 32 + 1, 32).map(({ prompt, negative }) => `${prompt}/${negative}`)).size).toBe(32);
});

test("prompts and negatives stay in their ranges", () => {
  for (const { prompt, negative } of pairs(1, 64)) {
    expect(prompt).toBeLessThan(8);
    expect(negative).toBeLessThan(4);
  }
});

test("another seed deals other pairs", () => {
  expect(pairs(1, 16, 4)).not.toEqual(pairs(1, 16));
});

test("the negatives to draw are those that some step uses, in the order of first use", () => {
  expect(pairsNeeded(10, options)).toEqual(pairs(1, 10));
  expect(pairsNeeded(400, options)).toHaveLength(32);
});
