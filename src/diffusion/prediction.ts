import { sizeOf, zeros } from "../tensor/tensor.ts";
import type { Float32Tensor } from "../tensor/tensor.ts";
import type { PredictionType, ThresholdingOptions } from "./config.ts";
import { weightedSum } from "./latents.ts";

/** The level of a noisy sample x = alpha x_0 + sigma noise, with alpha² + sigma² = 1. */
export interface NoiseLevel {
  readonly alpha: number;
  readonly sigma: number;
}

/** x_0 as the model's output implies it. `output`, `latents` [B, ...]. */
export function predictedClean(
  type: PredictionType,
  output: Float32Tensor,
  latents: Float32Tensor,
  { alpha, sigma }: NoiseLevel,
): Float32Tensor {
  switch (type) {
    case "epsilon":
      return weightedSum([1 / alpha, latents], [-sigma / alpha, output]);
    case "v_prediction":
      return weightedSum([alpha, latents], [-sigma, output]);
    case "sample":
      return output;
  }
}

/** The noise as the model's output implies it. `output`, `latents` [B, ...]. */
export function predictedNoise(
  type: PredictionType,
  output: Float32Tensor,
  latents: Float32Tensor,
  { alpha, sigma }: NoiseLevel,
): Float32Tensor {
  switch (type) {
    case "epsilon":
      return output;
    case "v_prediction":
      return weightedSum([alpha, output], [sigma, latents]);
    case "sample":
      return weightedSum([1 / sigma, latents], [-alpha / sigma, output]);
  }
}

/** Every value brought into [-range, range]. */
export function clip(tensor: Float32Tensor, range: number): Float32Tensor {
  const out = zeros(tensor.shape);
  tensor.data.forEach((value, i) => (out.data[i] = Math.min(Math.max(value, -range), range)));
  return out;
}

/**
 * Dynamic thresholding: each item is clipped to its own quantile s of |x_0|, 1 <= s <= sample_max_value, and divided by s.
 * "Photorealistic Text-to-Image Diffusion Models with Deep Language Understanding", arXiv 2205.11487, sec. 2.3.
 */
export function threshold(clean: Float32Tensor, options: ThresholdingOptions): Float32Tensor {
  const size = sizeOf(clean.shape.slice(1));
  const out = zeros(clean.shape);
  for (let start = 0; start < clean.data.length; start += size) {
    const item = clean.data.subarray(start, start + size);
    const magnitude = quantile(item.map(Math.abs), options.dynamic_thresholding_ratio);
    const s = Math.min(Math.max(magnitude, 1), options.sample_max_value);
    item.forEach((value, i) => (out.data[start + i] = Math.min(Math.max(value, -s), s) / s));
  }
  return out;
}

/** The value that a share `ratio` of the values lies below, linear between neighbours. */
function quantile(values: Float32Array, ratio: number): number {
  const sorted = values.toSorted();
  const rank = ratio * (sorted.length - 1);
  const low = sorted[Math.floor(rank)] ?? NaN;
  const high = sorted[Math.ceil(rank)] ?? NaN;
  return low + (high - low) * (rank - Math.floor(rank));
}
