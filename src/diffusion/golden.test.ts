import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { z } from "zod";
import { float32 } from "../tensor/tensor.ts";
import type { Float32Tensor } from "../tensor/tensor.ts";
import { correctOutdatedConfig, parseSchedulerConfig } from "./config.ts";
import { createSampler, samplerNames } from "./create.ts";
import { addNoise, noiseSchedule, velocity } from "./schedule.ts";

/** diffusers' answers; tests/golden/diffusion/make.py writes and describes them. */
const numbers = z.array(z.number());
const golden = z
  .object({
    first: numbers,
    outputs: z.array(numbers),
    schedules: z.array(z.object({ config: z.string(), timesteps: numbers, noisy: numbers, velocity: numbers })),
    cases: z.array(
      z.object({
        config: z.string(),
        pipeline: z.boolean(),
        sampler: z.enum(samplerNames),
        steps: z.number(),
        timesteps: numbers,
        initialNoiseScale: z.number(),
        inputs: z.array(numbers).nullable(),
        latents: z.array(numbers),
      }),
    ),
  })
  .parse(JSON.parse(readFileSync(new URL("../../tests/golden/diffusion/samplers.json", import.meta.url), "utf8")));

const shape = [2, 1, 2, 2];
const batch = (values: readonly number[]) => float32(values, shape);
const first = batch(golden.first);
const outputs = golden.outputs.map(batch);

/** Largest error relative to the largest magnitude. */
function worst(actual: Float32Tensor | undefined, expected: readonly number[] = []): number {
  const scale = Math.max(...expected.map(Math.abs));
  return Math.max(...expected.map((value, i) => Math.abs(value - (actual?.data[i] ?? NaN)))) / scale;
}

test.each(golden.cases)("$sampler, $steps steps, draws as diffusers with $config", (expected) => {
  const parsed = parseSchedulerConfig(expected.config, "scheduler_config.json");
  const config = expected.pipeline ? correctOutdatedConfig(parsed) : parsed;
  const sampler = createSampler(expected.sampler, config, expected.steps);
  expect(sampler.timesteps).toHaveLength(expected.timesteps.length);
  expected.timesteps.forEach((timestep, i) => expect(sampler.timesteps[i]).toBeCloseTo(timestep, 3));
  expect(sampler.initialNoiseScale / expected.initialNoiseScale).toBeCloseTo(1, 6);
  // Latents that start at sigma 4096 lose digits in diffusers' float32.
  const tolerance = expected.initialNoiseScale > 1000 ? 1e-4 : 1e-5;
  let latents = float32(
    first.data.map((value) => value * expected.initialNoiseScale),
    shape,
  );
  expected.latents.forEach((answer, i) => {
    const input = sampler.scaleModelInput(latents, i);
    expect(worst(input, expected.inputs?.[i] ?? [...latents.data])).toBeLessThan(tolerance);
    latents = sampler.step(outputs[i] ?? first, i, latents);
    expect(worst(latents, answer)).toBeLessThan(tolerance);
  });
});

test.each(golden.schedules)("noise is added, and velocity defined, as diffusers does with $config", (expected) => {
  const schedule = noiseSchedule(parseSchedulerConfig(expected.config, "scheduler_config.json"));
  const noise = outputs[0] ?? first;
  expect(worst(addNoise(schedule, first, noise, expected.timesteps), expected.noisy)).toBeLessThan(2e-6);
  expect(worst(velocity(schedule, first, noise, expected.timesteps), expected.velocity)).toBeLessThan(2e-6);
});
