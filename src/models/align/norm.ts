import type { Value } from "../../graph/graph.ts";
import { add, batchNormalize, conv2d, div, mul, reshape, sqrt, sub, type Padding } from "../../graph/ops/index.ts";
import { join, type Scope } from "../../nn/scope.ts";

export interface ConvolutionOptions {
  readonly filters: number;
  readonly kernel: number;
  readonly stride?: number;
  readonly padding?: Padding;
  readonly groups?: number;
  /** Added to variances. */
  readonly epsilon: number;
}

/** A convolution without bias, of the scope `convolution`, and the batch normalisation behind it, of the scope `norm`. */
export type NormConvolution = (convolution: Scope, norm: Scope, x: Value, options: ConvolutionOptions) => Value;

/**
 * By the running statistics in the checkpoint, as one convolution:
 * γ (W * x - m) / √(v + ε) + β = (s W) * x + (β - s m) with s = γ / √(v + ε).
 */
export const byRunningStatistics: NormConvolution = (convolution, norm, x, { filters, kernel, epsilon, ...rest }) => {
  const statistic = (name: string) => norm.parameter(name, [filters]);
  const scale = div(statistic("weight"), sqrt(add(statistic("running_var"), epsilon)));
  const bias = sub(statistic("bias"), mul(scale, statistic("running_mean")));
  const weight = kernelOf(convolution, x, filters, kernel, rest.groups);
  return conv2d(x, mul(weight, reshape(scale, [filters, 1, 1, 1])), bias, rest);
};

/**
 * By the statistics of the batch at hand, for training.
 * @param statistics gets each norm's `running_mean` and `running_var` of this batch, by the checkpoint's name: [filters]
 */
export function byBatchStatistics(statistics: Map<string, Value>): NormConvolution {
  return (convolution, norm, x, { filters, kernel, epsilon, ...rest }) => {
    const convolved = conv2d(x, kernelOf(convolution, x, filters, kernel, rest.groups), undefined, rest);
    const [weight, bias] = ["weight", "bias"].map((name) => norm.parameter(name, [filters]));
    const { y, mean, variance } = batchNormalize(convolved, weight, bias, epsilon);
    statistics.set(join(norm.path, "running_mean"), mean);
    statistics.set(join(norm.path, "running_var"), variance);
    return y;
  };
}

function kernelOf(convolution: Scope, x: Value, filters: number, kernel: number, groups = 1): Value {
  return convolution.parameter("weight", [filters, x.shape[1] / groups, kernel, kernel]);
}
