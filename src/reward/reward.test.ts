import { expect, test } from "vitest";
import { alignImage, harmonicReward } from "./reward.ts";

// the paper's example: equal arithmetic means, .455
test.each([
  [{ alignI: 0.9, alignT: 0.01 }, 0.02],
  [{ alignI: 0.7, alignT: 0.21 }, 0.323],
])("at lambda .5 the harmonic reward of %o is %f", (alignment, reward) => {
  expect(harmonicReward(alignment, 0.5)).toBeCloseTo(reward, 3);
});

test("lambda 0 is text alignment alone, lambda 1 picture alignment, whatever the other", () => {
  expect(harmonicReward({ alignI: 0, alignT: 0.6 }, 0)).toBeCloseTo(0.6, 12);
  expect(harmonicReward({ alignI: 0.7, alignT: 0 }, 1)).toBeCloseTo(0.7, 12);
  expect(harmonicReward({ alignI: 0, alignT: 0.6 }, 0.5)).toBe(0);
});

test("ALIGN-I is the mean of (cos + 1) / 2 over the photos", () => {
  const [x, y] = [Float32Array.of(1, 0), Float32Array.of(0, 1)];
  expect(alignImage(x, [x, y, Float32Array.of(-1, 0)])).toBeCloseTo((1 + 0.5 + 0) / 3, 12);
});
