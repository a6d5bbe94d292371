import { expect, test } from "vitest";
import { pictureSeed } from "../../training/draws.ts";
import { drawOf, negativesNeeded } from "./draws.ts";

const options = { seed: 3, photos: 5, prompts: 8, negatives: 4 };
const draws = (from: number, count: number, seed = options.seed) =>
  Array.from({ length: count }, (_, i) => drawOf(from + i, { ...options, seed }));

test("every photo comes once in a round of photos, every negative of every prompt once in a round of pairs", () => {
  for (const round of [0, 1, 2])
    expect(
      draws(round * 5 + 1, 5)
        .map(({ photo }) => photo)
        .sort(),
    ).toEqual([0, 1, 2, 3, 4]);
  for (const round of [0, 1])
    expect(new Set(draws(round * 32 + 1, 32).map(({ prompt, negative }) => `${prompt}/${negative}`)).size).toBe(32);
});

test("prompts and negatives stay in their ranges", () => {
  for (const { prompt, negative } of draws(1, 64)) {
    expect(prompt).toBeLessThan(8);
    expect(negative).toBeLessThan(4);
  }
});

test("another seed deals other pairs", () => {
  expect(draws(1, 16, 4)).not.toEqual(draws(1, 16));
});

test("the negatives to draw are those that some step uses, in the order of first use", () => {
  const used = draws(1, 10).map(({ prompt, negative }) => ({ prompt, negative }));
  expect(negativesNeeded(10, options)).toEqual(used);
  expect(negativesNeeded(400, options)).toHaveLength(32);
});

test("pictures of different places have different seeds", () => {
  const seeds = (["negative", "validation"] as const).flatMap((kind) =>
    [0, 1, 2].flatMap((prompt) => [0, 1, 2].map((index) => pictureSeed(0, kind, prompt, index))),
  );
  expect(new Set(seeds).size).toBe(18);
});
