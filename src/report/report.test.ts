import { expect, test } from "vitest";
import { drawOf, negativesNeeded } from "../training/draws.ts";
import type { RunEvent } from "../runs/events.ts";
import { TRAIN_DEFAULTS, type TrainSettings } from "../settings/train-settings.ts";
import { countPrompts } from "./prompt-count.ts";
import { reportOf } from "./report.ts";

const settings: TrainSettings = {
  ...TRAIN_DEFAULTS,
  model: "/m",
  reward: "/r",
  images: "/photos",
  class: "dog",
  output: "/run",
  learningRate: 1e-4,
  resolution: 64,
  threads: 1,
  negatives: 2,
  validationImages: 3,
};
const inputs = { run: "runs/dog", photos: 3, prompts: 4 };

const step = (n: number, label: number): RunEvent => ({
  type: "step",
  step: n,
  sim: 1,
  pref: 0.7,
  margin: 0,
  label,
  gradNorm: 1,
  seconds: 0.5,
});
const validation = (n: number): RunEvent => ({
  type: "validation",
  step: n,
  lambda: 0.5,
  reward: 0.7,
  standardError: 0.01,
  images: ["a", "b"].flatMap((prompt) =>
    [0, 1, 2].map((seed) => ({
      prompt,
      seed,
      alignI: 0.6,
      alignT: 0.9 - n / 1e4,
      image: `images/${n}${prompt}${seed}.png`,
    })),
  ),
});
const negative = (prompt: number, index: number): RunEvent => ({
  type: "negative",
  prompt: `prompt ${prompt}`,
  seed: 1,
  alignT: 0.5,
  image: `images/negative-${String(prompt).padStart(2, "0")}-${index}.png`,
});

test.each([
  ["fewer of each prompt", { validationImages: 2 }],
  ["more than there are", { validationImages: 4 }],
])("pictures that are not as many of each prompt as the settings say are refused: %s", (_name, change) => {
  expect(() => reportOf({ ...settings, ...change }, [validation(0)], inputs)).toThrow(
    /^runs\/dog: a validation in its events\.jsonl has 6 pictures, expected \d of each prompt/,
  );
});

test("a negative has the labels of the steps that were trained with it", () => {
  const drawn = [0, 1, 2, 3].flatMap((prompt) => [negative(prompt, 0), negative(prompt, 1)]);
  const labels = [1, 0, 1, 1, 0, 1, 0, 1, 1, 1];
  const { negatives } = reportOf(settings, [...drawn, ...labels.map((label, i) => step(i + 1, label))], inputs);
  for (const [i, label] of labels.entries()) {
    const { prompt, negative: index } = drawOf(i + 1, { ...inputs, seed: settings.seed, negatives: 2 });
    const used = negatives.find(({ image }) => image === `images/negative-0${prompt}-${index}.png`);
    expect(used?.labels).toContain(label);
  }
  expect(negatives.flatMap(({ labels: own }) => own ?? []).sort()).toEqual([...labels].sort());
});

test("labels are left out where the run's prompts are no longer known", () => {
  const { negatives } = reportOf(settings, [negative(0, 0), step(1, 1)], { ...inputs, prompts: undefined });
  expect(negatives).toMatchObject([{ prompt: "prompt 0", labels: undefined }]);
});

test.each([
  [25, 400],
  [25, 50],
  [9, 5],
  [40, 12],
])("of %i prompts of one's own, in %i steps, the negatives tell how many there are", (prompts, steps) => {
  const own = { ...settings, prompts: "/own/prompts.txt", steps };
  const drawn = negativesNeeded(steps, { seed: own.seed, photos: 3, prompts, negatives: 2 }).map((needed) =>
    negative(needed.prompt, needed.negative),
  );
  expect(countPrompts(own, drawn, 3)).toBe(prompts);
  expect(countPrompts(own, drawn.slice(1), 3)).toBeUndefined();
});

test("the status is the last thing that happened", () => {
  const status = (...events: RunEvent[]) => reportOf(settings, [step(1, 0), ...events], inputs).status;
  expect(status()).toEqual({ kind: "running", step: 1 });
  expect(status({ type: "stop", step: 1, reason: "patience" })).toEqual({ kind: "patience", step: 1 });
  expect(status({ type: "stop", step: 1, reason: "interrupted" }, step(2, 1))).toEqual({ kind: "running", step: 2 });
  expect(status({ type: "error", step: 1, message: "no space" })).toEqual({
    kind: "error",
    step: 1,
    message: "no space",
  });
});

test("prompts and noises are those of the validations", () => {
  expect(reportOf(settings, [validation(0)], inputs)).toMatchObject({ prompts: ["a", "b"], noises: 3, shown: [0] });
  const twins = validation(0);
  const same = twins.type === "validation" && {
    ...twins,
    images: twins.images.map((image) => ({ ...image, prompt: "a" })),
  };
  expect(reportOf(settings, same ? [same] : [], inputs)).toMatchObject({ prompts: ["a", "a"], noises: 3 });
  expect(reportOf(settings, [], inputs)).toMatchObject({ prompts: [], noises: 3, shown: [], validations: [] });
});

test("of many validations a dozen are shown, the first and the last among them", () => {
  const { shown } = reportOf(
    settings,
    Array.from({ length: 100 }, (_, i) => validation(i * 40)),
    inputs,
  );
  expect(shown.length).toBeLessThanOrEqual(12);
  expect(shown.length).toBeGreaterThan(8);
  expect([shown[0], shown.at(-1)]).toEqual([0, 3960]);
  expect([...shown].sort((a, b) => a - b)).toEqual(shown);
});
