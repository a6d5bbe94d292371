import { describe, expect, test } from "vitest";
import { openStableDiffusion } from "../../src/checkpoints/stable-diffusion.ts";
import { addNoise, noiseSchedule, trainingTarget } from "../../src/diffusion/schedule.ts";
import { objective } from "../../src/methods/rpo/objective.ts";
import { ATTENTION_TARGETS } from "../../src/nn/lora.ts";
import { float32, type Float32Tensor } from "../../src/tensor/tensor.ts";
import { trainLora } from "../../src/training/trainable.ts";
import { createTrainer, type Feeds } from "../../src/training/trainer.ts";
import { MODEL, SDXL } from "../run/cli.ts";
import { openGolden } from "./golden.ts";

/** A step on photos of two buckets, with masks and negatives of a third shape, against PyTorch: tests/golden/buckets/make.py. */

const [BATCH, BETA] = [2, 3];
const PHOTO_SIZES = [
  [6, 10],
  [10, 4],
] as const;

const worst = (actual: ArrayLike<number>, expected: ArrayLike<number>): number =>
  Math.max(...Array.from(expected, (x, i) => Math.abs(x - actual[i]))) /
  Math.max(...Array.from(expected, Math.abs), 1e-12);

describe.each([
  ["sd", MODEL],
  ["sdxl", SDXL],
])("%s", (name, model) => {
  test.each(["normal", "low"] as const)(
    "losses and gradients of two buckets in one step are PyTorch's, with %s memory",
    async (memory) => {
      const { below } = await openGolden(`buckets/${name}.safetensors`);
      const { unet, scheduler } = await openStableDiffusion(model);
      const schedule = noiseSchedule(scheduler);
      const side = unet.config.sampleSize;
      const trainer = await createTrainer({
        config: unet.config,
        weights: await unet.load(),
        trainable: trainLora({ rank: 4, alpha: 8, targets: ATTENTION_TARGETS }, await below("start."), {
          learningRate: 1e-3,
        }),
        objective: (scope) => objective(scope, { condition: "modifier", beta: BETA, preference: true }),
        batch: BATCH,
        photo: { mask: true, weight: false },
        latentSize: [side, side],
        photoSizes: PHOTO_SIZES,
        textLength: 77,
        memory,
        session: { threads: 1 },
      });
      const batches: Feeds[] = [];
      for (const part of PHOTO_SIZES.keys()) {
        const given = await below(`${part}.`);
        const get = (key: string) => given.get(key) ?? float32([]);
        const timesteps = [...get("t").data];
        const feeds: Record<string, Float32Tensor> = { timestep: float32(timesteps), "ref.mask": get("mask") };
        for (const [key, x, noise] of [
          ["ref", "x", "noise"],
          ["gen", "gen.x", "gen.noise"],
        ]) {
          feeds[`${key}.noisy`] = addNoise(schedule, get(x), get(noise), timesteps);
          feeds[`${key}.target`] = trainingTarget(schedule, get(x), get(noise), timesteps);
        }
        const others = ["label", "prompt", "modifier", "prompt.pooled", "modifier.pooled", "ref.sizes", "sizes"];
        for (const key of others) if (given.has(key)) feeds[key] = get(key);
        batches.push(feeds);
      }
      const { curves } = await trainer.step(batches);
      for (const curve of ["sim", "pref", "margin"]) {
        const expected: number[] = [];
        for (const part of PHOTO_SIZES.keys())
          expected.push(...((await below(`${part}.expected.`)).get(curve)?.data ?? [NaN]));
        expect([curve, worst(curves[curve], expected) < 1e-4]).toEqual([curve, true]);
      }
      const gradients = await below("grad.");
      expect(gradients.size).toBeGreaterThan(0);
      for (const [parameter, { data }] of gradients) {
        // they are the sum until the update takes the mean of it
        const mean = trainer.optimizer.gradients.get(parameter)?.data.map((x) => x / PHOTO_SIZES.length);
        expect([parameter, worst(mean ?? [], data) < 1e-3]).toEqual([parameter, true]);
      }
      await trainer.release();
    },
  );
});
