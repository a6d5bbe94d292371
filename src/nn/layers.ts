import type { Value } from "../graph/graph.ts";
import {
  add,
  conv2d,
  gather,
  gemm,
  matmul,
  mul,
  normalize,
  perChannel,
  reshape,
  type Padding,
} from "../graph/ops/index.ts";
import { sizeOf } from "../tensor/tensor.ts";
import type { Scope } from "./scope.ts";

/** The layers that every model is made of. A layer's parameters are `<scope>.weight` and `<scope>.bias`, as in PyTorch. */

/** y = x Wᵀ + b on the last axis, W [out, in]; with what the scope adds to it where it does. */
export function linear(scope: Scope, x: Value, outFeatures: number, { bias = true }: { bias?: boolean } = {}): Value {
  const inFeatures = x.shape[x.shape.length - 1];
  const rows = reshape(x, [sizeOf(x.shape) / inFeatures, inFeatures]);
  const weight = scope.parameter("weight", [outFeatures, inFeatures]);
  let y = bias
    ? gemm(rows, weight, scope.parameter("bias", [outFeatures]), { transB: true })
    : matmul(rows, weight, { transB: true });
  const adapter = scope.adapter?.(inFeatures, outFeatures);
  if (adapter !== undefined)
    y = gemm(matmul(rows, adapter.down, { transB: true }), adapter.up, y, { transB: true, alpha: adapter.scale });
  const out = reshape(y, [...x.shape.slice(0, -1), outFeatures]);
  return scope.output?.(out) ?? out;
}

/** A convolution with bias, its kernel square: [B, C, H, W] -> [B, filters, H', W']. */
export function convolution(
  scope: Scope,
  x: Value,
  filters: number,
  options: { kernel?: number; stride?: number; padding?: number | Padding; groups?: number; bias?: boolean } = {},
): Value {
  const { kernel = 3, groups = 1, bias = true, ...rest } = options;
  const weight = scope.parameter("weight", [filters, x.shape[1] / groups, kernel, kernel]);
  const shift = bias ? scope.parameter("bias", [filters]) : undefined;
  return conv2d(x, weight, shift, { padding: (kernel - 1) / 2, ...rest, groups });
}

/** Layer normalisation over the last axis. */
export function layerNorm(scope: Scope, x: Value, epsilon: number): Value {
  const features = x.shape[x.shape.length - 1];
  const y = normalize(x, epsilon);
  return add(mul(y, scope.parameter("weight", [features])), scope.parameter("bias", [features]));
}

/** Group normalisation (Wu and He, arXiv 1803.08494) of [B, C, ...]: each of `groups` blocks of channels by itself. */
export function groupNorm(scope: Scope, x: Value, groups: number, epsilon: number): Value {
  const [batch, channels, ...rest] = x.shape;
  const grouped = reshape(x, [batch, groups, (channels / groups) * sizeOf(rest)]);
  const y = reshape(normalize(grouped, epsilon), x.shape);
  const perPosition = (parameter: Value) =>
    rest.length === 2 ? perChannel(parameter) : reshape(parameter, [1, channels, ...rest.map(() => 1)]);
  return add(
    mul(y, perPosition(scope.parameter("weight", [channels]))),
    perPosition(scope.parameter("bias", [channels])),
  );
}

/** Rows of an embedding table [entries, features] for int32 ids. */
export function embedding(scope: Scope, ids: Value, entries: number, features: number): Value {
  return gather(scope.parameter("weight", [entries, features]), ids);
}
