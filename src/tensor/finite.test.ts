import { expect, test } from "vitest";
import { allFinite } from "./finite.ts";

test("one that is no number is found at every place, and the largest and smallest numbers are numbers", () => {
  for (const length of [0, 1, 3, 4, 7, 9]) {
    const numbers = new Float32Array(length).map((_, i) => [3.4e38, -3.4e38, 1e-45, -0][i % 4]);
    expect(allFinite(numbers)).toBe(true);
    for (const bad of [NaN, Infinity, -Infinity])
      for (let at = 0; at < length; at++) expect(allFinite(numbers.with(at, bad)), `${bad} at ${at}`).toBe(false);
  }
});
