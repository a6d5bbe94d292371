import type { Graph } from "../graph/graph.ts";
import type { Random } from "../tensor/random.ts";
import { float32Array, sizeOf, zeros, type Float32Tensor, type Shape } from "../tensor/tensor.ts";

export interface InitialOptions {
  /** Parameters that begin at zero: what a residual branch ends in, so that the network begins as the identity. */
  readonly zero?: RegExp;
  /** Standard deviation of embeddings. */
  readonly embedding?: number;
}

/**
 * Where training from scratch begins, for all parameters of a graph: kernels and matrices normal with variance 1 / fan-in,
 * embeddings and tokens normal and small (CLIP's patch_embedding, a kernel by its name alone, among them), norms at one, biases at zero.
 */
export function initialWeights(
  graph: Graph,
  rng: Random,
  { zero, embedding = 0.02 }: InitialOptions = {},
): Map<string, Float32Tensor> {
  return new Map(
    [...graph.parameters].map(([name, { shape }]) => {
      if (zero?.test(name)) return [name, zeros(shape)];
      if (/embedding|_token$/.test(name) && !/\.(projection|convolution|linear_\d)\.|norm\./i.test(name))
        return [name, scaled(rng.split(name).normal(shape), embedding)];
      if (shape.length >= 2) return [name, scaled(rng.split(name).normal(shape), Math.sqrt(shape[0] / sizeOf(shape)))];
      return [name, filled(shape, /weight$|running_var$/.test(name) ? 1 : 0)];
    }),
  );
}

function scaled(tensor: Float32Tensor, factor: number): Float32Tensor {
  for (let i = 0; i < tensor.data.length; i++) tensor.data[i] *= factor;
  return tensor;
}

function filled(shape: Shape, value: number): Float32Tensor {
  return { dtype: "float32", shape, data: float32Array(sizeOf(shape)).fill(value) };
}
