import { z } from "zod";
import { UsageError } from "../system/errors.ts";
import { roundHalfEven } from "../tensor/rounding.ts";
import type { Float32Tensor } from "../tensor/tensor.ts";
import * as settings from "./config.ts";
import type { SchedulerConfig } from "./config.ts";
import { weightedSum } from "./latents.ts";
import { interpolate, linspace } from "./numpy.ts";
import { predictedClean, threshold } from "./prediction.ts";
import { checkSteps, stepAt, stepOrder } from "./sampler.ts";
import type { Sampler } from "./sampler.ts";
import { alphasCumprod } from "./schedule.ts";
import * as levels from "./sigmas.ts";
import { trailingTimesteps } from "./spacing.ts";

const className = "DPMSolverMultistepScheduler";
const { flag, unsupportedFlag } = settings;

const dpmOptions = settings.betaOptions.extend({
  ...settings.thresholdingOptions.shape,
  ...settings.sigmaOptions.shape,
  prediction_type: settings.predictionType.default("epsilon"),
  timestep_spacing: settings.timestepSpacing.default("linspace"),
  steps_offset: settings.stepsOffset,
  solver_order: z.union([z.literal(1), z.literal(2), z.literal(3)], "expected 1, 2 or 3").default(2),
  // DEIS and UniPC configs name solvers of their own, which diffusers takes for the ones it has.
  algorithm_type: z.enum(["dpmsolver++", "deis"]).default("dpmsolver++"),
  solver_type: z.enum(["midpoint", "heun", "logrho", "bh1", "bh2"]).default("midpoint"),
  lower_order_final: flag(true),
  euler_at_final: flag(false),
  use_lu_lambdas: flag(false),
  use_flow_sigmas: unsupportedFlag(),
  use_dynamic_shifting: unsupportedFlag(),
  lambda_min_clipped: z.union([z.number(), z.literal(-Infinity)], "expected a number").default(-Infinity),
  variance_type: z.null("not supported, expected null").default(null),
  rescale_betas_zero_snr: flag(false),
});
type DpmOptions = z.infer<typeof dpmOptions>;

/**
 * DPM-Solver++(2M), multistep, over predictions of x_0: "DPM-Solver++: Fast Solver for Guided Sampling of Diffusion
 * Probabilistic Models", arXiv 2211.01095, Alg. 2, here with order 1 to 3 and with both ways to take the derivative
 * (`solver_type`); options as diffusers' DPMSolverMultistepScheduler has them.
 *
 * @throws ModelError on options that are wrong or not supported; UsageError on a step count that the schedule cannot serve.
 */
export function dpmSampler(config: SchedulerConfig, steps: number): Sampler {
  const options = settings.optionsFor(config, dpmOptions, className);
  checkSteps(steps, options.num_train_timesteps);
  const { use_karras_sigmas, use_exponential_sigmas, use_lu_lambdas } = options;
  levels.checkOneSpacing({ use_karras_sigmas, use_exponential_sigmas, use_lu_lambdas }, config.where);
  const alphas = alphasCumprod(options, config.where, options.rescale_betas_zero_snr);
  const trained = levels.trainingSigmas(alphas, options.rescale_betas_zero_snr, config.where);
  const { timesteps, sigmas } = dpmLevels(options, trained, steps);
  const begins = stepOrder();
  let history: Float32Tensor[] = []; // predictions of x_0, newest first
  return {
    timesteps,
    initialNoiseScale: 1,
    scaleModelInput: (latents) => latents,
    step: (output, index, latents) => {
      stepAt(timesteps, index);
      const predicted = predictedClean(options.prediction_type, output, latents, level(stepAt(sigmas, index)));
      const clean = options.thresholding ? threshold(predicted, options) : predicted;
      history = begins(index) ? [clean] : [clean, ...history.slice(0, 2)];
      return solve(options, latents, history, sigmas, index, orderAt(options, index, timesteps.length));
    },
  };
}

/** alpha² + sigma² = 1 with the given ratio sigma / alpha; lambda = log(alpha / sigma). */
function level(ratio: number) {
  const alpha = 1 / Math.hypot(ratio, 1);
  return { alpha, sigma: ratio * alpha, lambda: -Math.log(ratio) };
}

/** Few steps end, and every run begins, on lower orders; a step to sigma 0 must be of order 1. */
function orderAt(options: DpmOptions, index: number, count: number): number {
  const lower = options.lower_order_final && count < 15;
  if (index === count - 1 && (options.euler_at_final || lower || options.final_sigmas_type === "zero")) return 1;
  return Math.min(options.solver_order, index + 1, index === count - 2 && lower ? 2 : 3);
}

/** x(sigma_next) from x(sigma_now) and the predictions of x_0, newest first. */
function solve(
  options: DpmOptions,
  latents: Float32Tensor,
  [m0, m1, m2]: readonly Float32Tensor[],
  sigmas: Float32Array,
  index: number,
  order: number,
): Float32Tensor {
  const now = level(stepAt(sigmas, index));
  const next = level(stepAt(sigmas, index + 1));
  const h = next.lambda - now.lambda;
  if (m0 === undefined || h === 0) return latents;
  const decay = -Math.expm1(-h); // 1 - e^-h
  const carried = [next.sigma / now.sigma, latents] as const;
  const h0 = order > 1 ? now.lambda - level(stepAt(sigmas, index - 1)).lambda : 0;
  if (m1 === undefined || h0 === 0) return weightedSum(carried, [next.alpha * decay, m0]);

  // The slope of x_0 over one step: D1 = (m0 - m1) / r0 with r0 = h0 / h.
  const slope = next.alpha * (1 - decay / h);
  if (order === 2 || m2 === undefined) {
    const heun = options.solver_type === "heun";
    const change = (heun ? slope : (next.alpha * decay) / 2) * (h / h0);
    return weightedSum(carried, [next.alpha * decay + change, m0], [-change, m1]);
  }
  const h1 = level(stepAt(sigmas, index - 1)).lambda - level(stepAt(sigmas, index - 2)).lambda;
  const [r0, r1] = [h0 / h, h1 / h];
  const recent = weightedSum([1 / r0, m0], [-1 / r0, m1]);
  const earlier = weightedSum([1 / r1, m1], [-1 / r1, m2]);
  const bend = next.alpha * ((h - decay) / h ** 2 - 0.5);
  // D1 = recent + r0 / (r0 + r1) (recent - earlier), D2 = (recent - earlier) / (r0 + r1)
  const curvature = (slope * r0 - bend) / (r0 + r1);
  return weightedSum(carried, [next.alpha * decay, m0], [slope + curvature, recent], [-curvature, earlier]);
}

/** Timesteps of the calls, and the levels sigma / alpha between which they step (one more, falling, the last one final). */
function dpmLevels(options: DpmOptions, trained: Float32Array, steps: number) {
  const spaced = dpmTimesteps(options, trained, steps);
  const [lowest, highest] = [trained[0] ?? NaN, trained.at(-1) ?? NaN];
  const respaced = options.use_lu_lambdas
    ? linspace(Math.fround(Math.log(highest)), Math.fround(Math.log(lowest)), steps).map(Math.exp)
    : levels.respacedSigmas(options, highest, lowest, steps);
  const sigmas = respaced ?? spaced.map((timestep) => interpolate(timestep, trained));
  const rounded = !options.use_exponential_sigmas && options.beta_schedule !== "squaredcos_cap_v2";
  const timesteps = respaced?.map((sigma) => {
    const timestep = levels.timestepOfSigma(sigma, trained);
    return rounded ? roundHalfEven(timestep) : Math.trunc(timestep);
  });
  return {
    timesteps: Float32Array.from(timesteps ?? spaced),
    sigmas: Float32Array.from([...sigmas, levels.finalSigma(options, trained)]),
  };
}

/** As Table 2 of arXiv 2305.08891, but "leading" and "linspace" leave out timestep 0: the last step ends there. */
function dpmTimesteps(options: DpmOptions, trained: Float32Array, steps: number): number[] {
  // lambda_min_clipped bounds log(alpha / sigma) from below: it cuts off the noisiest timesteps.
  const last = trained.findLastIndex((sigma) => -Math.log(sigma) >= options.lambda_min_clipped) + 1;
  if (options.timestep_spacing === "trailing") return trailingTimesteps(last, options.num_train_timesteps / steps);
  if (options.timestep_spacing === "linspace")
    return linspace(0, last - 1, steps + 1)
      .map(roundHalfEven)
      .reverse()
      .slice(0, -1);
  const stride = Math.floor(last / (steps + 1));
  if (stride === 0) throw new UsageError(`${steps} sampling steps: expected fewer than ${last} with "leading" spacing`);
  return Array.from({ length: steps }, (_, i) => (steps - i) * stride + options.steps_offset);
}
