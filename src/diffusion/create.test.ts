import { expect, test } from "vitest";
import { ModelError, UsageError } from "../system/errors.ts";
import { Random } from "../tensor/random.ts";
import { float32, stack, unstack } from "../tensor/tensor.ts";
import type { Float32Tensor } from "../tensor/tensor.ts";
import { parseSchedulerConfig } from "./config.ts";
import { createSampler } from "./create.ts";
import type { SamplerName } from "./create.ts";
import type { Sampler } from "./sampler.ts";
import { noiseSchedule } from "./schedule.ts";

const betas = { beta_schedule: "scaled_linear", beta_start: 0.00085, beta_end: 0.012 };
const configure = (values: object) =>
  parseSchedulerConfig(JSON.stringify({ ...betas, clip_sample: false, ...values }), "scheduler_config.json");
const names = ["ddim", "pndm", "dpm", "euler"] as const;

type Model = (input: Float32Tensor, index: number, sampler: Sampler) => Float32Tensor;

function draw(sampler: Sampler, noise: Float32Tensor, model: Model): Float32Tensor {
  let latents = float32(
    noise.data.map((value) => value * sampler.initialNoiseScale),
    noise.shape,
  );
  for (let i = 0; i < sampler.timesteps.length; i++)
    latents = sampler.step(model(sampler.scaleModelInput(latents, i), i, sampler), i, latents);
  return latents;
}

const contraction: Model = (input, index) =>
  float32(
    input.data.map((x) => Math.tanh(x) * (1 - index / 40)),
    input.shape,
  );

// All data at one point x_0: the best model answers (x - sqrt(a) x_0) / sqrt(1 - a), and every way must end at x_0.
test.each(names)("%s ends at the only picture of a world that has one", (name) => {
  const config = configure({ set_alpha_to_one: true });
  const { alphasCumprod } = noiseSchedule(config);
  const oracle: Model = (input, index, { timesteps }) => {
    const alpha = alphasCumprod[timesteps[index] ?? NaN] ?? NaN;
    return float32(
      input.data.map((x) => (x - Math.sqrt(alpha) * 0.7) / Math.sqrt(1 - alpha)),
      input.shape,
    );
  };
  const spaced = configure({ set_alpha_to_one: true, timestep_spacing: name === "dpm" ? "linspace" : "leading" });
  const picture = draw(createSampler(name, spaced, 10), new Random(1).normal([1, 1, 2, 2]), oracle);
  picture.data.forEach((value) => expect(value).toBeCloseTo(0.7, 4));
});

test.each(names)("%s draws a picture the same alone and in a batch, with a sampler new or used", (name) => {
  const noise = new Random(2).normal([3, 1, 2, 2]);
  const config = configure({ thresholding: true });
  const used = createSampler(name, config, 6);
  const together = unstack(draw(used, noise, contraction));
  const alone = unstack(noise).map((item) => draw(createSampler(name, config, 6), stack([item]), contraction));
  alone.forEach((picture, i) => expect(picture.data).toEqual(together[i]?.data));
  expect(stack(unstack(draw(used, noise, contraction))).data).toEqual(stack(together).data);
});

test.each(["pndm", "dpm"] as const)("%s refuses steps out of order", (name) => {
  const latents = new Random(3).normal([1, 1, 2, 2]);
  const sampler = createSampler(name, configure({}), 6);
  sampler.step(latents, 0, latents);
  expect(() => sampler.step(latents, 2, latents)).toThrow("step 2 came where step 1 was expected");
});

test.each(names)("%s refuses steps beyond its last and latents of another shape", (name) => {
  const latents = new Random(3).normal([1, 1, 2, 2]);
  const sampler = createSampler(name, configure({}), 1);
  expect(() => sampler.step(latents, 1, latents)).toThrow(RangeError);
  expect(() => sampler.step(new Random(3).normal([1, 1, 2, 3]), 0, latents)).toThrow("shape [1, 1, 2, 3]");
});

test.each(names)("%s refuses step counts that are not 1 ... num_train_timesteps", (name) => {
  for (const steps of [0, -1, 1.5, NaN, 1001])
    expect(() => createSampler(name, configure({}), steps)).toThrow(
      new UsageError(`sampling steps: expected an integer in 1 ... 1000, got ${steps}`),
    );
});

test("step counts that lead beyond the schedule are the user's error", () => {
  const beyond = configure({ _class_name: "PNDMScheduler", steps_offset: 1 });
  expect(() => createSampler("ddim", beyond, 1000)).toThrow(UsageError);
  expect(() => createSampler("dpm", configure({ timestep_spacing: "leading" }), 1000)).toThrow(UsageError);
  expect(() => createSampler("checkpoint", beyond, 3)).toThrow("takes at least 4");
});

// 1000 / 61: np.arange ends on a rounding error of zero, from which diffusers makes a call at timestep -1.
test("trailing spacing has as many timesteps as steps", () => {
  for (const name of names) {
    const { timesteps } = createSampler(name, configure({ timestep_spacing: "trailing" }), 61);
    expect(timesteps).toHaveLength(name === "pndm" ? 62 : 61);
    expect(timesteps.at(-1)).toBe(15);
  }
});

const unsupported: [SamplerName, object, string][] = [
  ["ddim", { prediction_type: "flow_prediction" }, 'prediction_type is "flow_prediction"'],
  ["pndm", { prediction_type: "sample" }, 'prediction_type is "sample"'],
  ["dpm", { algorithm_type: "sde-dpmsolver++" }, 'algorithm_type is "sde-dpmsolver++"'],
  ["dpm", { solver_order: 4 }, "solver_order is 4: expected 1, 2 or 3"],
  ["dpm", { variance_type: "learned" }, 'variance_type is "learned": not supported'],
  ["dpm", { use_flow_sigmas: true }, "use_flow_sigmas is true: not supported"],
  ["dpm", { use_karras_sigmas: true, use_lu_lambdas: true }, "use_karras_sigmas and use_lu_lambdas are set"],
  ["euler", { use_beta_sigmas: true }, "use_beta_sigmas is true: not supported"],
  ["euler", { timestep_spacing: "cosine" }, 'timestep_spacing is "cosine"'],
  ["euler", { beta_schedule: "sigmoid" }, 'beta_schedule is "sigmoid"'],
  ["ddim", { trained_betas: [0.1, 0.2] }, "trained_betas has 2 entries but num_train_timesteps is 1000"],
  ["ddim", { beta_end: 12 }, "beta_end is 12"],
  ["ddim", { num_train_timesteps: 1e12 }, "num_train_timesteps is 1000000000000"],
  ["ddim", { rescale_betas_zero_snr: true, timestep_spacing: "trailing" }, "zero SNR"],
  ["checkpoint", { _class_name: "LMSDiscreteScheduler" }, "pass sampler ddim, pndm, dpm or euler"],
  ["checkpoint", {}, "names no _class_name"],
];

test.each(unsupported)("%s with %j is an error of the model that names the option", (name, values, message) => {
  const create = () => createSampler(name, configure(values), 5);
  expect(create).toThrow(ModelError);
  expect(create).toThrow(message);
  expect(create).toThrow("scheduler_config.json: ");
});

test("options of another sampler's class are passed over", () => {
  const foreign = configure({ skip_prk_steps: "?", algorithm_type: "sde-dpmsolver++" });
  expect(createSampler("ddim", foreign, 4).timesteps).toEqual(createSampler("ddim", configure({}), 4).timesteps);
});
