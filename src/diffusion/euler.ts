import { z } from "zod";
import { betaOptions, flag, optionsFor, predictionType, sigmaOptions, stepsOffset, timestepSpacing } from "./config.ts";
import type { SchedulerConfig } from "./config.ts";
import { weightedSum } from "./latents.ts";
import { interpolate, linspace32 } from "./numpy.ts";
import { predictedClean } from "./prediction.ts";
import { checkSteps, stepAt } from "./sampler.ts";
import type { Sampler } from "./sampler.ts";
import { alphasCumprod } from "./schedule.ts";
import { checkOneSpacing, finalSigma, respacedSigmas, timestepOfSigma, trainingSigmas } from "./sigmas.ts";
import { spacedTimesteps } from "./spacing.ts";

const className = "EulerDiscreteScheduler";

const eulerOptions = betaOptions.extend({
  ...sigmaOptions.shape,
  prediction_type: predictionType.default("epsilon"),
  timestep_spacing: timestepSpacing.default("linspace"),
  timestep_type: z.enum(["discrete", "continuous"]).default("discrete"),
  steps_offset: stepsOffset,
  interpolation_type: z.enum(["linear", "log_linear"]).default("linear"),
  rescale_betas_zero_snr: flag(false),
});
type EulerOptions = z.infer<typeof eulerOptions>;

/**
 * Euler's method on dx/dsigma = (x - x_0) / sigma, with x = x_0 + sigma noise. "Elucidating the Design Space of Diffusion-Based
 * Generative Models", arXiv 2206.00364, Alg. 2 without churn; options as diffusers' EulerDiscreteScheduler has them.
 *
 * @throws ModelError on options that are wrong or not supported; UsageError on a step count that the schedule cannot serve.
 */
export function eulerSampler(config: SchedulerConfig, steps: number): Sampler {
  const options = optionsFor(config, eulerOptions, className);
  checkSteps(steps, options.num_train_timesteps);
  const { use_karras_sigmas, use_exponential_sigmas } = options;
  checkOneSpacing({ use_karras_sigmas, use_exponential_sigmas }, config.where);
  const alphas = alphasCumprod(options, config.where, options.rescale_betas_zero_snr);
  const trained = trainingSigmas(alphas, options.rescale_betas_zero_snr, config.where);
  const { timesteps, sigmas } = eulerLevels(options, trained, steps);
  const highest = Math.max(...sigmas);
  return {
    timesteps,
    initialNoiseScale: options.timestep_spacing === "leading" ? Math.hypot(highest, 1) : highest,
    scaleModelInput: (latents, index) => weightedSum([1 / Math.hypot(stepAt(sigmas, index), 1), latents]),
    step: (output, index, latents) => {
      stepAt(timesteps, index);
      const sigma = stepAt(sigmas, index);
      const next = stepAt(sigmas, index + 1);
      // x / sqrt(sigma² + 1) is the variance-preserving sample that the prediction types speak of.
      const alpha = 1 / Math.hypot(sigma, 1);
      const preserving = weightedSum([alpha, latents]);
      const clean = predictedClean(options.prediction_type, output, preserving, { alpha, sigma: sigma * alpha });
      // x + (x - x_0) (next - sigma) / sigma
      return weightedSum([next / sigma, latents], [1 - next / sigma, clean]);
    },
  };
}

/** Timesteps of the calls, and the noise levels between which they step (one more, falling, the last one final). */
function eulerLevels(options: EulerOptions, trained: Float32Array, steps: number) {
  const spaced = spacedTimesteps(options.timestep_spacing, steps, options.num_train_timesteps, options.steps_offset);
  const evenly =
    options.interpolation_type === "linear"
      ? spaced.map((t) => interpolate(Math.fround(t), trained))
      : logLinear(trained, steps);
  const respaced = respacedSigmas(options, evenly[0] ?? NaN, evenly.at(-1) ?? NaN, steps);
  const sigmas = Float32Array.from([...(respaced ?? evenly), finalSigma(options, trained)]);
  const discrete = Float32Array.from(respaced?.map((sigma) => timestepOfSigma(sigma, trained)) ?? spaced);
  // Stable Video Diffusion's convention: the model is told c_noise = log(sigma) / 4.
  const continuous = options.timestep_type === "continuous" && options.prediction_type === "v_prediction";
  return { timesteps: continuous ? sigmas.slice(0, -1).map((sigma) => Math.log(sigma) / 4) : discrete, sigmas };
}

function logLinear(trained: Float32Array, steps: number): number[] {
  const [lowest, highest] = [trained[0] ?? NaN, trained.at(-1) ?? NaN];
  return [...linspace32(Math.log(highest), Math.log(lowest), steps + 1).map(Math.exp)];
}
