import { expect, test } from "vitest";
import { pairOf, pairsNeeded } from "../methods/rpo/draws.ts";
import type { RunEvent } from "../runs/events.ts";
import { TRAIN_DEFAULTS, type TrainSettings } from "../settings/train-settings.ts";

import { reportOf } from "./report.ts";
import { countPrompts, withNegativesNamed } from "./version-1.ts";

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
const RUN = "runs/dog";

const step = (n: number, label: number): RunEvent => ({
  type: "step",
  step: n,
  curves: { loss: 1.7, sim: 1, pref: 0.7, margin: 0, label },
  gradNorm: 1,
  seconds: 0.5,
});
const validation = (n: number): RunEvent => ({
  type: "validation",
  step: n,
  lambda: 0.5,
  reward: 0.7,
  standardError: 0.01,
  images: ["a", "b"].flatMap((prompt, promptIndex) =>
    [0, 1, 2].map((seed) => ({
      prompt,
      promptIndex,
      index: seed,
      seed,
      alignI: 0.6,
      alignT: 0.9 - n / 1e4,
      image: `images/${n}${prompt}${seed}.png`,
    })),
  ),
});
const negative = (prompt: number, index: number): RunEvent => ({
  type: "starting-picture",
  use: "negative",
  promptIndex: prompt,
  index,
  prompt: `prompt ${prompt}`,
  seed: 1,
  alignT: 0.5,
  image: `images/negative-${String(prompt).padStart(2, "0")}-${index}.png`,
});

test.each([
  ["fewer of each prompt", { validationImages: 2 }],
  ["more than there are", { validationImages: 4 }],
])("pictures that are not as many of each prompt as the settings say are refused: %s", (_name, change) => {
  expect(() => reportOf({ ...settings, ...change }, [validation(0)], RUN)).toThrow(
    /^runs\/dog: a validation in its events\.jsonl has 6 pictures, expected \d of each prompt/,
  );
});

const drawn = [0, 1, 2, 3].flatMap((prompt) => [negative(prompt, 0), negative(prompt, 1)]);
const labels = [1, 0, 1, 1, 0, 1, 0, 1, 1, 1];
/** Of a run of version 1: which negative a step used is not in its event. */
const steps = labels.map((label, i) => step(i + 1, label));
const draw = { seed: settings.seed, prompts: 8, negatives: 2 };

test("a negative has the labels of the steps that were trained with it, in a run of version 1 too", () => {
  const events = withNegativesNamed(settings, [...drawn, ...steps]);
  const { startingPictures } = reportOf(settings, events, RUN);
  const expected = new Map<string, number[]>();
  for (const [i, label] of labels.entries()) {
    const { prompt, negative: index } = pairOf(i + 1, draw);
    const image = `images/negative-0${prompt}-${index}.png`;
    expected.set(image, [...(expected.get(image) ?? []), label]);
  }
  expect(startingPictures.some(({ uses }) => uses === 1)).toBe(true);
  for (const { image, labels: own, uses } of startingPictures) {
    expect(own).toEqual(expected.get(image) ?? []);
    expect(uses).toBe(own.length);
  }
});

test("what steps say of the picture that they used is not drawn again", () => {
  const said = steps.map((event) => ({ ...event, startingPicture: "images/negative-01-1.png" }));
  const { startingPictures } = reportOf(settings, withNegativesNamed(settings, [...drawn, ...said]), RUN);
  expect(startingPictures.filter(({ uses }) => uses !== 0)).toMatchObject([{ promptIndex: 1, index: 1, labels }]);
});

test("labels are left out where the run's prompts are no longer known", () => {
  const own = { ...settings, prompts: "/gone.txt", steps: 4 };
  const events = withNegativesNamed(own, [negative(0, 0), step(1, 1)]);
  expect(reportOf(own, events, RUN).startingPictures).toMatchObject([{ prompt: "prompt 0", uses: undefined }]);
});

test.each([
  [25, 400],
  [25, 50],
  [9, 5],
  [40, 12],
])("of %i prompts of one's own, in %i steps, the negatives tell how many there are", (prompts, steps) => {
  const own = { ...settings, prompts: "/own/prompts.txt", steps };
  const needed = pairsNeeded(steps, { seed: own.seed, prompts, negatives: 2 }).map((pair) =>
    negative(pair.prompt, pair.negative),
  );
  expect(countPrompts(own, needed)).toBe(prompts);
  expect(countPrompts(own, needed.slice(1))).toBeUndefined();
});

test("the status is the last thing that happened", () => {
  const status = (...events: RunEvent[]) => reportOf(settings, [step(1, 0), ...events], RUN).status;
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
  expect(reportOf(settings, [validation(0)], RUN)).toMatchObject({ prompts: ["a", "b"], noises: 3, shown: [0] });
  const twins = validation(0);
  const same = twins.type === "validation" && {
    ...twins,
    images: twins.images.map((image) => ({ ...image, prompt: "a" })),
  };
  expect(reportOf(settings, same ? [same] : [], RUN)).toMatchObject({ prompts: ["a", "a"], noises: 3 });
  expect(reportOf(settings, [], RUN)).toMatchObject({ prompts: [], noises: 3, shown: [], validations: [] });
});

test("of many validations a dozen are shown, the first and the last among them", () => {
  const { shown } = reportOf(
    settings,
    Array.from({ length: 100 }, (_, i) => validation(i * 40)),
    RUN,
  );
  expect(shown.length).toBeLessThanOrEqual(12);
  expect(shown.length).toBeGreaterThan(8);
  expect([shown[0], shown.at(-1)]).toEqual([0, 3960]);
  expect([...shown].sort((a, b) => a - b)).toEqual(shown);
});
