import { expect, test } from "vitest";
import { validationsLeft } from "./cost.ts";

const settings = { validateEvery: 40, steps: 100 }; // validated at 0, 40, 80 and 100

test.each<[string, number, number | undefined, number]>([
  ["a new run", 0, undefined, 4],
  ["one that has been validated at its start", 0, 0, 3],
  ["one that was stopped between validations", 30, 0, 3],
  ["one that was stopped after a validation", 40, 40, 2],
  ["one that was stopped while it was validated", 80, 40, 2],
  ["one that was killed after the last step", 100, 100, 0],
])("%s has so many validations before it", (_name, step, validated, left) => {
  expect(validationsLeft(step, validated, settings)).toBe(left);
});
