import { describe, expect, test } from "vitest";
import { bucketDealer, photoDealer, pictureSeed } from "./draws.ts";

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

describe("photos in buckets", () => {
  const buckets = ["wide", "high", "wide", "wide", "high", "square", "wide"];
  const draws = Array.from({ length: 12 * buckets.length * 4 }, (_, i) => i + 1);

  test.each([1, 2, 4])("a batch of %i is of one bucket, and all are trained equally often", (batch) => {
    const photoOf = bucketDealer(5, buckets, batch);
    const counts = buckets.map(() => 0);
    for (let first = 1; first < draws.length; first += batch) {
      const photos = Array.from({ length: batch }, (_, i) => photoOf(first + i));
      expect(new Set(photos.map((photo) => buckets[photo])).size).toBe(1);
      for (const photo of photos) counts[photo]++;
    }
    // what waits for its batch is less than one of each bucket
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(batch);
    expect(Math.min(...counts)).toBeGreaterThan(0);
  });

  test("a draw's photo is the same whatever was asked for before", () => {
    const inOrder = draws.map(bucketDealer(5, buckets, 2));
    const backwards = bucketDealer(5, buckets, 2);
    expect([...draws].reverse().map(backwards).reverse()).toEqual(inOrder);
    expect(draws.map(bucketDealer(6, buckets, 2))).not.toEqual(inOrder);
  });

  test("one by one, or all in one bucket, they come in the order that they have without buckets", () => {
    const plain = draws.map(photoDealer(5, buckets.length));
    expect(draws.map(bucketDealer(5, buckets, 1))).toEqual(plain);
    expect(
      draws.map(
        bucketDealer(
          5,
          buckets.map(() => "square"),
          4,
        ),
      ),
    ).toEqual(plain);
  });
});
