import { ModelError, UsageError } from "../system/errors.ts";
import type { TimestepSpacing } from "./config.ts";
import { roundHalfEven } from "../tensor/rounding.ts";
import { linspace } from "./numpy.ts";

/**
 * Evenly spaced timesteps, falling: Table 2 of "Common Diffusion Noise Schedules and Sample Steps are Flawed",
 * arXiv 2305.08891, as DDIM and PNDM count them. "linspace" is not rounded yet.
 */
export function spacedTimesteps(
  spacing: TimestepSpacing,
  steps: number,
  numTrainTimesteps: number,
  stepsOffset: number,
): number[] {
  switch (spacing) {
    case "leading": {
      const stride = Math.floor(numTrainTimesteps / steps);
      return Array.from({ length: steps }, (_, i) => (steps - 1 - i) * stride + stepsOffset);
    }
    case "linspace":
      return linspace(0, numTrainTimesteps - 1, steps).reverse();
    case "trailing":
      return trailingTimesteps(numTrainTimesteps, numTrainTimesteps / steps);
  }
}

/**
 * last - 1, last - 1 - stride, ..., rounded. For some step counts (61 of 1000) `np.arange` overshoots by rounding and diffusers
 * appends a timestep -1; it is left out here.
 */
export function trailingTimesteps(last: number, stride: number): number[] {
  const count = Math.ceil(last / stride);
  const delta = last - stride - last; // as np.arange: rounded at the magnitude of `last`, which decides ties
  return Array.from({ length: count }, (_, i) => roundHalfEven(last + i * delta) - 1).filter((t) => t >= 0);
}

/** a_t at `timestep`. @throws UsageError where steps_offset leads beyond the schedule. */
export function alphaAt(alphas: Float32Array, timestep: number, steps: number): number {
  const alpha = alphas[timestep];
  if (alpha !== undefined) return alpha;
  throw new UsageError(
    `${steps} sampling steps reach timestep ${timestep}, but the model knows 0 ... ${alphas.length - 1}: take fewer steps`,
  );
}

/** @throws ModelError where a schedule of pure noise (a_t = 0) meets a formula that divides by sqrt(a_t). */
export function needSignal(alpha: number, where: string, what: string): void {
  if (alpha === 0) throw new ModelError(`${where}: ${what} cannot start from a timestep without signal (zero SNR)`);
}
