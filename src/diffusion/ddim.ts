import { z } from "zod";
import { roundHalfEven } from "../tensor/rounding.ts";
import {
  betaOptions,
  flag,
  optionsFor,
  predictionType,
  stepsOffset,
  thresholdingOptions,
  timestepSpacing,
} from "./config.ts";
import type { SchedulerConfig } from "./config.ts";
import { weightedSum } from "./latents.ts";
import { clip, predictedClean, predictedNoise, threshold } from "./prediction.ts";
import { checkSteps, stepAt } from "./sampler.ts";
import type { Sampler } from "./sampler.ts";
import { alphasCumprod } from "./schedule.ts";
import { alphaAt, needSignal, spacedTimesteps } from "./spacing.ts";

const className = "DDIMScheduler";

const ddimOptions = betaOptions.extend({
  ...thresholdingOptions.shape,
  prediction_type: predictionType.default("epsilon"),
  timestep_spacing: timestepSpacing.default("leading"),
  steps_offset: stepsOffset,
  set_alpha_to_one: flag(true),
  clip_sample: flag(true),
  clip_sample_range: z.number().positive().default(1),
  rescale_betas_zero_snr: flag(false),
});

/**
 * DDIM with eta 0: x_prev = sqrt(a_prev) x_0 + sqrt(1 - a_prev) noise, with the x_0 and noise that the model predicts.
 * "Denoising Diffusion Implicit Models", arXiv 2010.02502, eq. 12; options as diffusers' DDIMScheduler has them.
 *
 * @throws ModelError on options that are wrong or not supported; UsageError on a step count that the schedule cannot serve.
 */
export function ddimSampler(config: SchedulerConfig, steps: number): Sampler {
  const options = optionsFor(config, ddimOptions, className);
  const trained = options.num_train_timesteps;
  checkSteps(steps, trained);
  const alphas = alphasCumprod(options, config.where, options.rescale_betas_zero_snr);
  const last = options.set_alpha_to_one ? 1 : (alphas[0] ?? NaN);
  const timesteps = spacedTimesteps(options.timestep_spacing, steps, trained, options.steps_offset).map(roundHalfEven);
  const stride = Math.floor(trained / steps);
  const levels = timesteps.map((timestep) => {
    const alpha = alphaAt(alphas, timestep, steps);
    if (options.prediction_type === "epsilon") needSignal(alpha, config.where, "epsilon prediction with DDIM");
    return { alpha, previous: timestep < stride ? last : alphaAt(alphas, timestep - stride, steps) };
  });
  return {
    timesteps: Float32Array.from(timesteps),
    initialNoiseScale: 1,
    scaleModelInput: (latents) => latents,
    step: (output, index, latents) => {
      const { alpha, previous } = stepAt(levels, index);
      const level = { alpha: Math.sqrt(alpha), sigma: Math.sqrt(1 - alpha) };
      const predicted = predictedClean(options.prediction_type, output, latents, level);
      const noise = predictedNoise(options.prediction_type, output, latents, level);
      const bounded = options.clip_sample ? clip(predicted, options.clip_sample_range) : predicted;
      const clean = options.thresholding ? threshold(predicted, options) : bounded;
      return weightedSum([Math.sqrt(previous), clean], [Math.sqrt(1 - previous), noise]);
    },
  };
}
