import { expect, test } from "vitest";
import { photoDealer, pictureSeed } from "./draws.ts";

test("every photo comes once in a round of photos", () => {
  const photoOf = photoDealer(3, 5);
  for (const round of [0, 1, 2])
    expect([1, 2, 3, 4, 5].map((step) => photoOf(round * 5 + step)).sort()).toEqual([0, 1, 2, 3, 4]);
});

test("pictures of different places have different seeds", () => {
  const seeds = ["negative", "validation"].flatMap((kind) =>
    [0, 1, 2].flatMap((prompt) => [0, 1, 2].map((index) => pictureSeed(0, kind, prompt, index))),
  );
  expect(new Set(seeds).size).toBe(18);
});
