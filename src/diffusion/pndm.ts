import { z } from "zod";
import { UsageError } from "../system/errors.ts";
import { say, setting } from "../system/message.ts";
import { roundHalfEven } from "../tensor/rounding.ts";
import type { Float32Tensor } from "../tensor/tensor.ts";
import { betaOptions, flag, optionsFor, stepsOffset, timestepSpacing } from "./config.ts";
import type { SchedulerConfig } from "./config.ts";
import { weightedSum } from "./latents.ts";
import { predictedNoise } from "./prediction.ts";
import { checkSteps, stepAt, stepOrder } from "./sampler.ts";
import type { Sampler } from "./sampler.ts";
import { alphasCumprod } from "./schedule.ts";
import { alphaAt, needSignal, spacedTimesteps } from "./spacing.ts";

const className = "PNDMScheduler";

const pndmOptions = betaOptions.extend({
  prediction_type: z.enum(["epsilon", "v_prediction"]).default("epsilon"),
  timestep_spacing: timestepSpacing.default("leading"),
  steps_offset: stepsOffset,
  set_alpha_to_one: flag(false),
  skip_prk_steps: flag(false),
});

/** One call of the model: where it is evaluated, and the way x(from) -> x(to) that its answer completes. */
interface Call {
  readonly timestep: number;
  readonly from: number;
  readonly to: number;
}

/**
 * PNDM: a linear multistep method (PLMS) over the noise predictions, on the way that DDIM takes. "Pseudo Numerical Methods for
 * Diffusion Models on Manifolds", arXiv 2202.09778: eq. 11 carries x over, eq. 12 weighs the last four predictions; before
 * those exist, either pseudo Runge-Kutta steps of four calls each (eq. 13; `skip_prk_steps` false), or, as Stable Diffusion
 * does, lower orders of which the first is improved by a second call at its end. Options as diffusers' PNDMScheduler has them.
 *
 * @param skipPrkSteps overrides the config's `skip_prk_steps`.
 * @throws ModelError on options that are wrong or not supported; UsageError on a step count that the schedule cannot serve.
 */
export function pndmSampler(config: SchedulerConfig, steps: number, skipPrkSteps?: boolean): Sampler {
  const options = optionsFor(config, pndmOptions, className);
  const trained = options.num_train_timesteps;
  checkSteps(steps, trained);
  const alphas = alphasCumprod(options, config.where);
  const last = options.set_alpha_to_one ? 1 : (alphas[0] ?? NaN);
  const timesteps = spacedTimesteps(options.timestep_spacing, steps, trained, options.steps_offset).map(roundHalfEven);
  const stride = Math.floor(trained / steps);
  const skip = skipPrkSteps ?? options.skip_prk_steps;
  const calls = skip
    ? multistepCalls(timesteps, stride)
    : [...rungeKuttaCalls(timesteps, stride), ...plain(timesteps.slice(3), stride)];
  const ways = calls.map(({ from, to }) => {
    const alpha = alphaAt(alphas, from, steps);
    needSignal(alpha, config.where, "PNDM");
    return { alpha, previous: to < 0 ? last : alphaAt(alphas, to, steps) };
  });
  const begins = stepOrder();
  const combine = skip ? multistep() : rungeKutta();

  /** Eq. 11: x(to) from x(from) and the combined prediction. */
  const transfer = (output: Float32Tensor, index: number, latents: Float32Tensor): Float32Tensor => {
    const { alpha, previous } = stepAt(ways, index);
    const level = { alpha: Math.sqrt(alpha), sigma: Math.sqrt(1 - alpha) };
    const noise = predictedNoise(options.prediction_type, output, latents, level);
    const denominator = alpha * Math.sqrt(1 - previous) + Math.sqrt(alpha * (1 - alpha) * previous);
    return weightedSum([Math.sqrt(previous / alpha), latents], [-(previous - alpha) / denominator, noise]);
  };
  return {
    timesteps: Float32Array.from(calls, ({ timestep }) => timestep),
    initialNoiseScale: 1,
    scaleModelInput: (latents) => latents,
    step: (output, index, latents) => {
      stepAt(ways, index);
      const combined = combine(output, latents, index, begins(index));
      return transfer(combined.output, index, combined.latents);
    },
  };
}

const plain = (timesteps: readonly number[], stride: number): Call[] =>
  timesteps.map((timestep) => ({ timestep, from: timestep, to: timestep - stride }));

/** The second timestep is called twice: the second call corrects the first step. */
function multistepCalls(timesteps: readonly number[], stride: number): Call[] {
  const [first, second, ...rest] = plain(timesteps, stride);
  if (first === undefined || second === undefined) return first === undefined ? [] : [first];
  const correction = { timestep: second.timestep, from: second.timestep + stride, to: second.timestep };
  return [first, correction, second, ...rest];
}

/** Three steps of four calls: at the start, twice in the middle, at the end. @throws UsageError for fewer than 4 steps. */
function rungeKuttaCalls(timesteps: readonly number[], stride: number): Call[] {
  if (timesteps.length < 4)
    throw new UsageError(
      say`${timesteps.length} sampling steps: the checkpoint's PNDM (skip_prk_steps false) takes at least 4; or choose ${setting("sampler", "pndm")}`,
    );
  const half = Math.floor(stride / 2);
  return timesteps.slice(0, 3).flatMap((start, i) => {
    const end = timesteps[i + 1] ?? NaN;
    const middle = end + half;
    return [
      { timestep: start, from: start, to: start - half },
      { timestep: middle, from: start, to: middle },
      { timestep: middle, from: start, to: middle - half },
      { timestep: end, from: start, to: end },
    ];
  });
}

/** Turns a call's answer and latents into what the transfer takes, with a memory of earlier calls. */
type Combine = (
  output: Float32Tensor,
  latents: Float32Tensor,
  index: number,
  begins: boolean,
) => { output: Float32Tensor; latents: Float32Tensor };

/** Adams-Bashforth weights over the last predictions, newest first, by how many there are. */
function adamsBashforth(history: readonly Float32Tensor[], newest: Float32Tensor): Float32Tensor {
  const weights = [[], [], [3 / 2, -1 / 2], [23 / 12, -16 / 12, 5 / 12], [55 / 24, -59 / 24, 37 / 24, -9 / 24]];
  const [first, ...rest] = weights[history.length] ?? [];
  if (first === undefined) return newest;
  return weightedSum([first, newest], ...rest.map((weight, k) => [weight, history[k + 1] ?? newest] as const));
}

function multistep(): Combine {
  let history: Float32Tensor[] = []; // newest first
  let start: Float32Tensor | undefined;
  return (output, latents, index, begins) => {
    if (begins) [history, start] = [[], latents];
    const [before] = history;
    if (index === 1 && before !== undefined && start !== undefined)
      return { output: weightedSum([1 / 2, output], [1 / 2, before]), latents: start };
    history = [output, ...history.slice(0, 3)];
    return { output: adamsBashforth(history, output), latents };
  };
}

function rungeKutta(): Combine {
  const plms = 12;
  let history: Float32Tensor[] = []; // newest first
  let stage: { sum: Float32Tensor; start: Float32Tensor } | undefined;
  return (output, latents, index, begins) => {
    if (begins) history = [];
    if (index >= plms || index % 4 === 0) history = [output, ...history.slice(0, 3)];
    if (index >= plms) return { output: adamsBashforth(history, output), latents };
    if (index % 4 === 0 || stage === undefined) {
      stage = { sum: weightedSum([1 / 6, output]), start: latents };
      return { output, latents };
    }
    const { start } = stage;
    if (index % 4 === 3) return { output: weightedSum([1, stage.sum], [1 / 6, output]), latents: start };
    stage = { sum: weightedSum([1, stage.sum], [1 / 3, output]), start };
    return { output, latents: start };
  };
}
