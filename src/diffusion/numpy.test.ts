import { expect, test } from "vitest";
import { interpolate, linspace } from "./numpy.ts";

test("linspace hits both ends, and one point is the start", () => {
  expect(linspace(0, 999, 3)).toEqual([0, 499.5, 999]);
  expect(linspace(5, 9, 1)).toEqual([5]);
});

test("interpolation is linear between integers and constant beyond the ends", () => {
  const ys = Float32Array.from([1, 3, 7]);
  expect([-1, 0, 0.5, 1, 1.25, 2, 9].map((x) => interpolate(x, ys))).toEqual([1, 1, 2, 3, 4, 7, 7]);
});
