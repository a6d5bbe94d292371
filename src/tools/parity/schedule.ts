import { openStableDiffusion } from "../../checkpoints/stable-diffusion.ts";
import { createSampler } from "../../diffusion/create.ts";
import { weightedSum } from "../../diffusion/latents.ts";
import { addNoise, noiseSchedule, velocity } from "../../diffusion/schedule.ts";
import { float32, unstack, type Tensor } from "../../tensor/tensor.ts";
import { floatsOf, inputOf, settingOf, type Solver } from "./case.ts";

/** The forward process, and every sampler's way through given answers of the model. */
export const solveSchedule: Solver = async (parityCase) => {
  const { scheduler } = await openStableDiffusion(parityCase.checkpoint);
  const schedule = noiseSchedule(scheduler);
  const [clean, noise] = [floatsOf(parityCase, "clean"), floatsOf(parityCase, "noise")];
  const timesteps = inputOf(parityCase, "timestep").data;
  const answers = new Map<string, Tensor>([
    ["noisy", addNoise(schedule, clean, noise, timesteps)],
    ["velocity", velocity(schedule, clean, noise, timesteps)],
  ]);
  const outputs = unstack(floatsOf(parityCase, "outputs"));
  for (const name of ["ddim", "pndm", "dpm", "euler"] as const) {
    const sampler = createSampler(name, scheduler, settingOf(parityCase, "steps", "number"));
    answers.set(`${name}.timesteps`, float32(sampler.timesteps));
    let latents = weightedSum([sampler.initialNoiseScale, floatsOf(parityCase, "first")]);
    for (let i = 0; i < sampler.timesteps.length; i++) {
      latents = sampler.step(outputs[i], i, latents);
      answers.set(`${name}.latents.${i}`, latents);
    }
  }
  return answers;
};
