import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { describe, expect, test } from "vitest";
import { openStableDiffusion } from "../../src/checkpoints/stable-diffusion.ts";
import { addNoise, noiseSchedule, trainingTarget } from "../../src/diffusion/schedule.ts";
import * as METHODS from "../../src/methods/index.ts";
import { loadMethod } from "../../src/methods/load.ts";
import { ATTENTION_TARGETS } from "../../src/nn/lora.ts";
import type { MethodEntry } from "../../src/settings/method-entry.ts";
import { TRAIN_DEFAULTS, type TrainSettings } from "../../src/settings/train-settings.ts";
import { openSafetensors } from "../../src/tensor/safetensors.ts";
import { float32, type Float32Tensor } from "../../src/tensor/tensor.ts";
import { trainLora, trainWeights } from "../../src/training/trainable.ts";
import { createTrainer, type Feeds } from "../../src/training/trainer.ts";
import { MODEL, root } from "../run/cli.ts";

/** Steps of each method's objective on PyTorch's draws, against what PyTorch made of them: tests/golden/methods/make.py. */

const folder = join(root, "tests/golden/methods");
const cases = (await readdir(folder)).filter((name) => name.endsWith(".safetensors"));

const STEPS = 3;
const BATCH = 2;
const learningRate = 1e-3;
/** As make.py has them. */
const WEIGHTS = {
  ...{ priorWeight: 0.7, preserveWeight: 0.3, weakWeight: 0.2, contrastWeight: 0.3 },
  ...{ beta: 3, preferenceWeight: 0.4, photoFloor: 0.5 },
  ...{ roundBeta: 3, roundWeight: 0.6, roundFloor: 0.8, ratioClip: 0.02 },
};
/** What a method's graph calls the timestep and the text of a picture of make.py's. */
const OWN = ["own.timestep", "own.prompt"] as const;
const INPUTS: Readonly<Record<string, readonly [timestep: string, text: string]>> = {
  ref: ["timestep", "prompt"],
  class: ["class.timestep", "class.prompt"],
  gen: ["timestep", "modifier"],
  own: OWN,
  better: OWN,
  worse: OWN,
  positive: OWN,
  negative: OWN,
};
/** What it calls numbers that are of no picture of the model's own. */
const NUMBERS: Readonly<Record<string, string>> = { label: "label", features: "ref.features" };
const nowhere = { model: "", reward: "", images: "", class: "", output: "" };
const settings: TrainSettings = {
  ...{ ...TRAIN_DEFAULTS, ...nowhere, learningRate, resolution: 8, threads: 1 },
  ...WEIGHTS,
};

/** Of the largest magnitude. */
const GRADIENT_TOLERANCE = 1e-3;

async function golden(name: string) {
  const file = await openSafetensors(join(folder, name));
  const read = async (key: string): Promise<Float32Tensor> => {
    const { shape, data } = await file.read(key);
    return float32(Float32Array.from(data, Number), shape);
  };
  const below = (prefix: string) => [...file.tensors.keys()].filter((key) => key.startsWith(prefix));
  const all = async (prefix: string) => {
    const found = new Map<string, Float32Tensor>();
    for (const key of below(prefix)) found.set(key.slice(prefix.length), await read(key));
    return found;
  };
  return { all };
}

const worst = (actual: Float32Array, expected: Float32Array): number =>
  Math.max(...expected.map((x, i) => Math.abs(x - actual[i]))) / Math.max(...expected.map(Math.abs), 1e-12);

test("every method is compared with PyTorch, those that train a word in words.test.ts", () => {
  for (const [method, { readsTexts = false }] of Object.entries<MethodEntry>(METHODS))
    for (const adapter of readsTexts ? [] : ["lora", "full"])
      expect(cases).toContain(`${method}-${adapter}.safetensors`);
});

describe.each(cases)("%s", (name) => {
  const [method, adapter] = basename(name, ".safetensors").split("-");
  test.each(["normal", "low"] as const)(
    "steps, gradients and weights are PyTorch's, with %s memory",
    async (memory) => {
      const file = await golden(name);
      const { unet, scheduler } = await openStableDiffusion(MODEL);
      const weights = await unet.load();
      const schedule = noiseSchedule(scheduler);
      const { objective, beside } = await loadMethod(method as TrainSettings["method"]);
      const all = await file.all("start.");
      const own = beside?.(settings, unet.config);
      const start = new Map([...all].filter(([key]) => own?.group.start.has(key) !== true));
      const trainable = {
        ...(adapter === "lora"
          ? trainLora({ rank: 4, alpha: 8, targets: ATTENTION_TARGETS }, start, { learningRate })
          : trainWeights(weights, { learningRate })),
        beside: own && { ...own, group: { ...own.group, start: new Map([...all].filter(([key]) => !start.has(key))) } },
      };
      const side = unet.config.sampleSize;
      const trainer = await createTrainer({
        config: unet.config,
        weights,
        trainable,
        objective: (scope) => objective(scope, settings),
        batch: BATCH,
        latentSize: [side, side],
        textLength: 77,
        memory,
        session: { threads: 1 },
      });
      const feedsOf = async (step: number): Promise<Feeds> => {
        const feeds: Record<string, Float32Tensor> = {};
        const given = await file.all(`${step}.`);
        for (const [kind, [timestep, text]] of Object.entries(INPUTS)) {
          // what a picture shares with another one stands with that one
          feeds[timestep] = given.get(`${kind}.t`) ?? feeds[timestep];
          feeds[text] = given.get(`${kind}.text`) ?? feeds[text];
          const [x, noise] = [given.get(`${kind}.x`), given.get(`${kind}.noise`)];
          if (x === undefined || noise === undefined) continue;
          feeds[`${kind}.noisy`] = addNoise(schedule, x, noise, [...feeds[timestep].data]);
          feeds[`${kind}.target`] = trainingTarget(schedule, x, noise, [...feeds[timestep].data]);
        }
        for (const [name, tensor] of await file.all(`${step}.numbers.`)) feeds[NUMBERS[name] ?? `own.${name}`] = tensor;
        return Object.fromEntries([...trainer.inputs.keys()].map((name) => [name, feeds[name]]));
      };
      for (let step = 0; step < STEPS; step++) {
        const curves = await trainer.backward(await feedsOf(step));
        if (step === 0)
          for (const [parameter, { data }] of await file.all("grad."))
            expect(worst(trainer.optimizer.gradients.get(parameter)?.data ?? data.map(() => NaN), data)).toBeLessThan(
              GRADIENT_TOLERANCE,
            );
        const values: Readonly<Record<string, Float32Array>> = {
          ...curves,
          gradNorm: Float32Array.of(await trainer.optimizer.step()),
        };
        const expected = await file.all(`${step}.expected.`);
        expect(Object.keys(values).sort()).toEqual([...expected.keys()].sort());
        for (const [key, { data }] of expected) {
          expect([key, values[key].length]).toEqual([key, data.length]);
          data.forEach((x, i) => {
            expect([key, Math.abs(values[key][i] - x) <= 1e-4 * Math.max(1, Math.abs(x))]).toEqual([key, true]);
          });
        }
      }
      for (const [parameter, { data }] of await file.all("param.")) {
        const before = (all.get(parameter) ?? weights.get(parameter))?.data ?? data;
        const after = trainer.optimizer.parameters.get(parameter)?.data ?? before;
        const rms = (of: (i: number) => number) => Math.hypot(...data.map((_, i) => of(i)));
        expect(rms((i) => after[i] - data[i])).toBeLessThan(5e-3 * rms((i) => data[i] - before[i]));
      }
      await trainer.release();
    },
  );
});
