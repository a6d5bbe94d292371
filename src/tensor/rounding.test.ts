import { expect, test } from "vitest";
import { roundHalfEven } from "./rounding.ts";

test("halves round to the even neighbour, on both sides of zero", () => {
  expect([0.5, 1.5, 2.5, 166.5, 2.4999, 2.5001].map(roundHalfEven)).toEqual([0, 2, 2, 166, 2, 3]);
  expect([-1.5, -2.5, -3.5].map(roundHalfEven)).toEqual([-2, -2, -4]);
});
