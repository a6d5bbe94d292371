import { expect, test } from "vitest";
import { Random } from "../tensor/random.ts";
import { bootstrapMean, quantile } from "./bootstrap.ts";

test("quantiles interpolate as numpy.quantile does", () => {
  expect(quantile([1, 2, 3, 4], 0.1)).toBeCloseTo(1.3, 12); // numpy.quantile([1, 2, 3, 4], .1)
  expect(quantile([1, 2, 3, 4], 1)).toBe(4);
});

test("the bootstrap's interval holds the true mean about 95 times in 100", () => {
  const rng = new Random(3);
  let held = 0;
  for (let trial = 0; trial < 200; trial++) {
    const groups = Array.from(rng.split("values", trial).normal([40]).data, (x) => [5 + x]);
    const interval = bootstrapMean(groups, rng.split("bootstrap", trial), { draws: 400 });
    if (interval !== undefined && interval.low <= 5 && interval.high >= 5) held++;
  }
  expect(held / 200).toBeGreaterThan(0.89);
  expect(held / 200).toBeLessThan(0.99);
});

test("values of one group stay together: equal groups leave no doubt, whatever is in them", () => {
  const interval = bootstrapMean(
    [
      [0, 1],
      [0, 1],
      [0, 1],
    ],
    new Random(0),
  );
  expect(interval).toEqual({ low: 0.5, high: 0.5 });
});

test("one group has no interval", () => expect(bootstrapMean([[1, 2]], new Random(0))).toBeUndefined());
