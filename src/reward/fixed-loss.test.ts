import { expect, test } from "vitest";
import { hasStoppedFalling, isStill, type Measured } from "./fixed-loss.ts";

const every10 = (losses: readonly number[]): Measured[] => losses.map((loss, i) => ({ step: 10 * (i + 1), loss }));

test("training is still once the variance of the last steps is a small part of that of all, as numpy has it", () => {
  // np.var([.5, .3, .2, .1, .1, .11]) = 0.0210139, of the last three 2.2222e-5: a ratio of .0010575
  const losses = every10([0.5, 0.3, 0.2, 0.1, 0.1, 0.11]);
  expect(isStill(losses, { window: 30, threshold: 0.0011 })).toBe(true);
  expect(isStill(losses, { window: 30, threshold: 0.001 })).toBe(false);
  // np.var([.3, .2, .1, .1, .11]) is .2939 of it
  expect(isStill(losses, { window: 50, threshold: 0.3 })).toBe(true);
  expect(isStill(losses, { window: 50, threshold: 0.28 })).toBe(false);
});

test("a training is not still before its window is full, nor by a window of one or two", () => {
  const losses = every10([0.5, 0.1, 0.1, 0.1]);
  expect(isStill(losses, { window: 40, threshold: 1 })).toBe(false);
  expect(isStill(losses, { window: 20, threshold: 1 })).toBe(false);
  expect(isStill(losses, { window: 30, threshold: 1 })).toBe(true);
  expect(isStill([], { window: 2, threshold: 1 })).toBe(false);
});

test("a loss has stopped falling when so many validations came after its lowest", () => {
  const losses = every10([0.5, 0.3, 0.2, 0.25, 0.21, 0.22, 0.3, 0.2]);
  expect(hasStoppedFalling(losses, { validated: [40, 80], patience: 2 })).toBe(true);
  expect(hasStoppedFalling(losses, { validated: [40, 80], patience: 3 })).toBe(false);
  expect(hasStoppedFalling(losses, { validated: [20, 40], patience: 2 })).toBe(false);
  expect(hasStoppedFalling([], { validated: [40, 80], patience: 1 })).toBe(false);
});
