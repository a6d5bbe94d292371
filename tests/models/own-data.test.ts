import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openStableDiffusion } from "../../src/checkpoints/stable-diffusion.ts";
import { addNoise, noiseSchedule, trainingTarget } from "../../src/diffusion/schedule.ts";
import { objective } from "../../src/methods/rpo/objective.ts";
import { ATTENTION_TARGETS } from "../../src/nn/lora.ts";
import { TRAIN_DEFAULTS } from "../../src/settings/train-settings.ts";
import { float32 } from "../../src/tensor/tensor.ts";
import { minSnrWeight } from "../../src/training/min-snr.ts";
import { rateAt } from "../../src/training/rate.ts";
import { trainLora } from "../../src/training/trainable.ts";
import { createTrainer, type Feeds } from "../../src/training/trainer.ts";
import { MODEL, root } from "../run/cli.ts";
import { openGolden } from "./golden.ts";

/** Masks, min-SNR, batches, accumulation and schedules against PyTorch and diffusers: tests/golden/own-data/make.py. */

const folder = join(root, "tests/golden/own-data");
const [STEPS, BATCH, ACCUMULATE, GAMMA] = [4, 2, 3, 5];
const SCHEDULE = { schedule: "cosine", warmup: 1, steps: STEPS } as const;

const golden = () => openGolden("own-data/steps.safetensors");

const worst = (actual: ArrayLike<number>, expected: Float32Array): number =>
  Math.max(...expected.map((x, i) => Math.abs(x - actual[i]))) / Math.max(...expected.map(Math.abs), 1e-12);

test.each(["normal", "low"] as const)(
  "steps of several batches with masks and min-SNR, at scheduled rates, are PyTorch's, with %s memory",
  async (memory) => {
    const file = await golden();
    const { unet, scheduler } = await openStableDiffusion(MODEL);
    const schedule = noiseSchedule(scheduler);
    const start = await file.below("start.");
    const side = unet.config.sampleSize;
    const trainer = await createTrainer({
      config: unet.config,
      weights: await unet.load(),
      trainable: trainLora({ rank: 4, alpha: 8, targets: ATTENTION_TARGETS }, start, { learningRate: 1e-3 }),
      objective: (scope) => objective(scope, { ...TRAIN_DEFAULTS, preference: false }),
      batch: BATCH,
      photo: { mask: true, weight: true },
      latentSize: [side, side],
      textLength: 77,
      memory,
      session: { threads: 1 },
    });
    const feedsOf = async (step: number, part: number): Promise<Feeds> => {
      const given = await file.below(`${step}.${part}.`);
      const get = (name: string) => given.get(name) ?? float32([]);
      const timesteps = [...get("t").data];
      return {
        "ref.noisy": addNoise(schedule, get("x"), get("noise"), timesteps),
        "ref.target": trainingTarget(schedule, get("x"), get("noise"), timesteps),
        "ref.mask": get("mask"),
        "ref.weight": float32(timesteps.map((t) => minSnrWeight(schedule, t, GAMMA))),
        timestep: float32(timesteps),
        prompt: get("text"),
      };
    };
    for (let step = 0; step < STEPS; step++) {
      const batches: Feeds[] = [];
      for (let part = 0; part < ACCUMULATE; part++) batches.push(await feedsOf(step, part));
      const { curves, gradNorm } = await trainer.step(batches, { rate: rateAt(step + 1, SCHEDULE) });
      const expected = await file.below(`${step}.expected.`);
      expect(worst(curves["sim"], expected.get("sim")?.data ?? new Float32Array())).toBeLessThan(1e-4);
      expect(Math.abs(gradNorm / (expected.get("gradNorm")?.data[0] ?? NaN) - 1)).toBeLessThan(1e-3);
      if (step === 0)
        for (const [name, { data }] of await file.below("grad.")) {
          // they are the sum until the update takes the mean of it
          const mean = trainer.optimizer.gradients.get(name)?.data.map((x) => x / ACCUMULATE);
          expect(worst(mean ?? [], data)).toBeLessThan(1e-3);
        }
    }
    for (const [name, { data }] of await file.below("param.")) {
      const before = start.get(name)?.data ?? data;
      const after = trainer.optimizer.parameters.get(name)?.data ?? before;
      const rms = (of: (i: number) => number) => Math.hypot(...data.map((_, i) => of(i)));
      expect(rms((i) => after[i] - data[i])).toBeLessThan(5e-3 * rms((i) => data[i] - before[i]));
    }
    await trainer.release();
  },
);

test("learning rates are those of diffusers' schedulers", async () => {
  const cases = JSON.parse(await readFile(join(folder, "schedules.json"), "utf8")) as readonly {
    readonly schedule: "constant" | "cosine";
    readonly warmup: number;
    readonly steps: number;
    readonly rates: readonly number[];
  }[];
  for (const { rates, ...settings } of cases)
    rates.forEach((rate, i) => expect(rateAt(i + 1, settings)).toBeCloseTo(rate, 12));
});

test("min-SNR's weights are those of diffusers' scripts, for the noise and for the velocity", async () => {
  const { scheduler } = await openStableDiffusion(MODEL);
  const expected = JSON.parse(await readFile(join(folder, "snr.json"), "utf8")) as Readonly<
    Record<"timesteps" | "epsilon" | "v_prediction", readonly number[]>
  >;
  const schedule = noiseSchedule(scheduler);
  for (const predictionType of ["epsilon", "v_prediction"] as const)
    expected.timesteps.forEach((t, i) =>
      expect(minSnrWeight({ ...schedule, predictionType }, t, GAMMA) / expected[predictionType][i]).toBeCloseTo(1, 4),
    );
});
