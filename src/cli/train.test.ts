import { expect, test } from "vitest";
import { photoAdvice } from "./train.ts";

test("one photo and very many get a word of advice, the usual number none", () => {
  expect(photoAdvice(1, 400)).toContain("one photo only");
  expect(photoAdvice(2, 400)).toBeUndefined();
  expect(photoAdvice(20, 400)).toBeUndefined();
  expect(photoAdvice(40, 400)).toContain("seen 10.0 times each in 400 steps");
});
