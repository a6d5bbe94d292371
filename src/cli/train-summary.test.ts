import { expect, test } from "vitest";
import type { ValidationEvent } from "../runs/events.ts";
import { distance } from "../report/sections/judged.ts";
import { lastBeside } from "./train-summary.ts";

/** Pictures whose text alignment is 1, so that at λ = 1 the reward is the likeness. */
function validation(step: number, likeness: readonly number[]): ValidationEvent {
  const images = likeness.map((alignI, i) => ({
    ...{ prompt: "a dog", promptIndex: 0, index: i, seed: i, alignI, alignT: 1, image: `images/${i}.png` },
  }));
  return { type: "validation", step, lambda: 1, reward: 0, standardError: 0, images };
}

const said = (...last: readonly number[]) =>
  lastBeside([validation(0, [0.5, 0.5, 0.5, 0.5]), validation(10, [0.7, 0.7, 0.7, 0.7]), validation(20, last)], {
    ...{ step: 10, lambda: 1, form: "harmonic", reward: 0.7 },
  });

test("a last checkpoint whose pictures are nearly equal is as good, however sure the difference", () => {
  // differences .0001, .0002, .0001, .0002: mean .00015, more than five standard errors
  expect(said(0.6999, 0.6998, 0.6999, 0.6998)).toBe("the last, step 20, is as good: less than 0.0005 behind");
  expect(said(0.69, 0.68, 0.69, 0.68)).toBe("that is 0.015 ± 0.003 better than the last, step 20, more than chance");
  expect(said(0.69, 0.73, 0.6, 0.7)).toContain("which may be chance");
});

test("so it is in the report of a judging", () => {
  expect(distance({ mean: 0.0004, standardError: 0.0001 })).toBe("as good");
  expect(distance({ mean: -0.0004, standardError: 0.0001 })).toBe("as good");
  expect(distance({ mean: 0.02, standardError: 0.001 })).toBe("0.020 ± 0.001 behind");
  expect(distance({ mean: 0.002, standardError: 0.0015 })).toBe("0.002 ± 0.002 behind, which may be chance");
});
