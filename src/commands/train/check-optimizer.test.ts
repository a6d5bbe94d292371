import { expect, test } from "vitest";
import { inFlags } from "../../settings/flag-name.ts";
import { checkOptimizer } from "./check-optimizer.ts";
import { parseTrain } from "./parse.ts";

const PLAIN = { optimizer: "adamw", dCoef: 1, growthRate: undefined, learningRate: undefined } as const;
const PRODIGY = { ...PLAIN, optimizer: "prodigy" } as const;
const problem = (settings: Partial<Parameters<typeof checkOptimizer>[0]>) => {
  try {
    checkOptimizer({ ...PLAIN, ...settings });
  } catch (error) {
    return inFlags(error);
  }
  return undefined;
};

test("what is Prodigy's alone is refused with AdamW, and a second rate with Prodigy", () => {
  expect(problem({ dCoef: 2 })).toMatch(/^--d-coef 2 is of Prodigy's estimate; add --optimizer prodigy/);
  expect(problem({ growthRate: 1.02 })).toMatch(/^--growth-rate 1.02 is of Prodigy's/);
  expect(problem({ textEncoderLearningRate: 1e-5 })).toBeUndefined();
  expect(problem({ ...PRODIGY, textEncoderLearningRate: 1e-5 })).toMatch(
    /^--text-encoder-lr 0.00001: Prodigy has one rate for all that trains, 1; leave it out/,
  );
  expect(problem({ ...PRODIGY, imageAdapterLearningRate: 1e-5 })).toMatch(/^--image-adapter-lr 0.00001: Prodigy has/);
  expect(problem({ ...PRODIGY, dCoef: 2, growthRate: 1.02, textEncoderLearningRate: 1 })).toBeUndefined();
});

test("rates of AdamW that a preset or a model has are none of Prodigy's, one that is given is", () => {
  const flags = { images: "photos", class: "dog", method: "dreambooth", preset: "diffusers-lora" };
  const model = { lr: 0.5, textEncoderLr: 0.1, steps: 7 };
  const rate = (more: object) => parseTrain({ flags: { ...flags, ...more }, model }).learningRate;
  expect([rate({}), rate({ optimizer: "prodigy" }), rate({ optimizer: "prodigy", lr: "0.5" })]).toEqual([
    1e-4,
    undefined,
    0.5,
  ]);
});
