import { expect, test } from "vitest";
import { float32 } from "../tensor/tensor.ts";
import { guide } from "./guidance.ts";

test("guidance goes s times the way from the unconditional to the conditional answer", () => {
  const [unconditional, conditional] = [float32([1, -2]), float32([3, 0])];
  expect([...guide(unconditional, conditional, 7.5).data]).toEqual([16, 13]);
  expect(guide(unconditional, conditional, 1).data).toEqual(conditional.data);
  expect(guide(unconditional, conditional, 0).data).toEqual(unconditional.data);
  expect(() => guide(unconditional, float32([1]), 2)).toThrow(RangeError);
});
