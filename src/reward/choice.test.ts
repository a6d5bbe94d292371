import { expect, test } from "vitest";
import { Random } from "../tensor/random.ts";
import { bestStep } from "./choice.ts";
import { best, choices, judge, LAMBDA_STEPS } from "./judged.ts";

/** Validations that trade text for picture alignment as they go on, with noise. */
function validations(seed: number, count = 7, pictures = 5) {
  const rng = new Random(seed);
  return Array.from({ length: count }, (_, v) => ({
    step: v * 40,
    scores: Array.from({ length: pictures }, () => ({
      alignI: 0.6 + 0.05 * Math.sqrt(v) + 0.02 * rng.uniform(),
      alignT: 0.86 - 0.004 * v * v + 0.02 * rng.uniform(),
    })),
  }));
}

test("the report chooses as training and rpo select do, whatever the lambda", () => {
  for (let seed = 0; seed < 5; seed++) {
    const list = validations(seed);
    const events = list.map(({ step, scores }) => ({
      type: "validation" as const,
      step,
      lambda: 0.5,
      reward: 0,
      standardError: 0,
      images: scores.map((score) => ({ ...score, prompt: "", seed: 0, image: "" })),
    }));
    for (let i = 0; i <= LAMBDA_STEPS; i++) {
      const lambda = i / LAMBDA_STEPS;
      expect(best(judge(list, lambda))?.step).toBe(bestStep(events, lambda)?.step);
    }
  }
});

test("choices cover every lambda of the slider once, in order", () => {
  const list = validations(3);
  const ranges = choices(list);
  expect(ranges.length).toBeGreaterThan(2);
  expect(ranges[0].from).toBe(0);
  expect(ranges.at(-1)?.to).toBe(1);
  for (const [i, { step, from, to }] of ranges.entries()) {
    expect(best(judge(list, from))?.step).toBe(step);
    expect(best(judge(list, to))?.step).toBe(step);
    if (i > 0) expect(from).toBeCloseTo(ranges[i - 1].to + 1 / LAMBDA_STEPS, 9);
  }
});

test("a gain is paired: the error is that of the differences, by hand", () => {
  // λ = 0: the reward is ALIGN-T; the pictures differ widely from each other, but each rises by .1 or .2
  const scores = (values: number[]) => values.map((alignT) => ({ alignI: 0.5, alignT }));
  const [, later] = judge(
    [
      { step: 0, scores: scores([0.1, 0.7]) },
      { step: 1, scores: scores([0.2, 0.9]) },
    ],
    0,
  );
  expect(later.gain.mean).toBeCloseTo(0.15, 12);
  expect(later.gain.standardError).toBeCloseTo(0.05, 12); // deviation .0707 / √2
  expect(later.reward.standardError).toBeCloseTo(0.35, 12); // deviation .495 / √2
});

test("without validations nothing is chosen", () => {
  expect(choices([])).toEqual([]);
  expect(best(judge([], 0.5))).toBeUndefined();
});
