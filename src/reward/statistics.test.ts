import { expect, test } from "vitest";
import { estimate, firstHighest, summarize } from "./statistics.ts";

test("the deviation is that of a sample", () => {
  expect(summarize([1, 2, 3, 4])).toEqual({ count: 4, mean: 2.5, deviation: Math.sqrt(5 / 3) });
  expect(summarize([7])).toEqual({ count: 1, mean: 7, deviation: undefined });
});

test("a mean's standard error is the sample's deviation over the root of its size, 0 for one value", () => {
  // deviation of 1, 2, 3, 4: √(5/3)
  expect(estimate([1, 2, 3, 4])).toEqual({ mean: 2.5, standardError: Math.sqrt(5 / 3 / 4) });
  expect(estimate([7])).toEqual({ mean: 7, standardError: 0 });
});

test("of equal values the first is the highest, what is no number is never, and nothing is of nothing", () => {
  const same = (x: number) => x;
  expect(firstHighest([["a", 1] as const, ["b", 3] as const, ["c", 3] as const], ([, x]) => x)?.[0]).toBe("b");
  expect(firstHighest([NaN, -Infinity, NaN], same)).toBe(-Infinity);
  expect(firstHighest([NaN, NaN], same)).toBeUndefined();
  expect(firstHighest([], same)).toBeUndefined();
});
