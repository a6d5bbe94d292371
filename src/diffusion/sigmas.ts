import { ModelError } from "../system/errors.ts";
import type { SigmaOptions } from "./config.ts";
import { linspace } from "./numpy.ts";

/**
 * Noise levels of the variance-exploding view x = x_0 + sigma noise: sigma_t = sqrt((1 - a_t) / a_t), in float32, rising.
 * A last a_t of zero (zero terminal SNR) counts as 2⁻²⁴, as in diffusers, so that sigma stays finite.
 *
 * @throws ModelError when a trained beta of 1 leaves no signal.
 */
export function trainingSigmas(alphas: Float32Array, zeroTerminalSnr: boolean, where: string): Float32Array {
  const finite = alphas.slice();
  if (zeroTerminalSnr) finite[finite.length - 1] = 2 ** -24;
  if (finite.some((alpha) => alpha === 0))
    throw new ModelError(`${where}: trained_betas of 1 leave no signal, which this sampler cannot start from`);
  return finite.map((alpha) => Math.sqrt(Math.fround(Math.fround(1 - alpha) / alpha)));
}

/** @throws ModelError when more than one of use_karras_sigmas, use_exponential_sigmas, ... is set. */
export function checkOneSpacing(switches: Readonly<Record<string, boolean>>, where: string): void {
  const on = Object.keys(switches).filter((key) => switches[key]);
  if (on.length > 1) throw new ModelError(`${where}: ${on.join(" and ")} are set, expected at most one of them`);
}

/** The levels that `options` ask for instead of those of the timesteps, falling; undefined when they ask for none. */
export function respacedSigmas(
  options: SigmaOptions,
  highest: number,
  lowest: number,
  steps: number,
): number[] | undefined {
  const max = options.sigma_max ?? highest;
  const min = options.sigma_min ?? lowest;
  if (options.use_karras_sigmas) return karrasSigmas(max, min, steps);
  if (options.use_exponential_sigmas) return exponentialSigmas(max, min, steps);
  return undefined;
}

/** "Elucidating the Design Space of Diffusion-Based Generative Models", arXiv 2206.00364, eq. 5 with rho = 7. */
function karrasSigmas(max: number, min: number, steps: number): number[] {
  const rho = 7;
  const [maxRoot, minRoot] = [max ** (1 / rho), min ** (1 / rho)];
  return linspace(0, 1, steps).map((ramp) => (maxRoot + ramp * (minRoot - maxRoot)) ** rho);
}

/** Evenly spaced in log sigma. */
function exponentialSigmas(max: number, min: number, steps: number): number[] {
  return linspace(Math.log(max), Math.log(min), steps).map(Math.exp);
}

/** The level that the last step ends on. */
export function finalSigma(options: SigmaOptions, sigmas: Float32Array): number {
  return options.final_sigmas_type === "zero" ? 0 : (sigmas[0] ?? NaN);
}

/** The timestep, fractional, whose level is `sigma`: linear in log sigma. `sigmas` are the training levels, rising. */
export function timestepOfSigma(sigma: number, sigmas: Float32Array): number {
  const logSigma = Math.log(Math.max(sigma, 1e-10));
  const logSigmas = sigmas.map(Math.log);
  const below = logSigmas.findLastIndex((level) => level <= logSigma);
  const low = Math.min(Math.max(below, 0), sigmas.length - 2);
  const [logLow, logHigh] = [logSigmas[low] ?? NaN, logSigmas[low + 1] ?? NaN];
  const weight = Math.min(Math.max((logLow - logSigma) / Math.fround(logLow - logHigh), 0), 1);
  return (1 - weight) * low + weight * (low + 1);
}
