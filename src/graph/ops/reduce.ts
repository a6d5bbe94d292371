import { halvesIn } from "../../tensor/half.ts";
import type { Shape } from "../../tensor/tensor.ts";
import { describe, type Value } from "../graph.ts";
import { defineOp, ShapeError, type NoAttributes } from "../op.ts";
import { normalizeAxes } from "../shapes.ts";
import { add, div, exp, mul, sqrt, sub } from "./elementwise.ts";
import { expand, perChannel, reshape, sliceAll } from "./layout.ts";

/** Ops that reduce or normalise along axes. */

export interface ReduceAttributes {
  readonly axes: readonly number[];
  readonly keepDims: boolean;
}

function reduceShape(shape: Shape, { axes, keepDims }: ReduceAttributes): Shape {
  if (keepDims) return shape.map((n, axis) => (axes.includes(axis) ? 1 : n));
  return shape.filter((_, axis) => !axes.includes(axis));
}

function reduction(type: string, weight: (count: number) => number) {
  return defineOp<ReduceAttributes>({
    infer: ([x], attributes) => [{ dtype: x.dtype, shape: reduceShape(x.shape, attributes) }],
    onnx: ({ axes, keepDims }) => ({
      type,
      attributes: { keepdims: keepDims ? 1 : 0 },
      constants: [{ dtype: "int64", values: axes }],
    }),
    gradient({ grad, inputs: [x], attributes: { axes } }) {
      const count = axes.reduce((product, axis) => product * x.shape[axis], 1);
      const spread = reshape(grad, reduceShape(x.shape, { axes, keepDims: true }));
      return [expand(weight(count) === 1 ? spread : mul(spread, weight(count)), x.shape)];
    },
  });
}

export const reduceOps = {
  // y = Σ x; dx = dy
  sum: reduction("ReduceSum", () => 1),
  // y = Σ x / n; dx = dy / n
  mean: reduction("ReduceMean", (count) => 1 / count),
  // y = eˣ / Σ eˣ over the last axis; dx = y (dy - Σ y dy)
  softmax: defineOp<NoAttributes>({
    infer: ([x]) => [{ dtype: x.dtype, shape: x.shape }],
    onnx: () => ({ type: "Softmax", attributes: { axis: -1 } }),
    gradient: ({ grad, outputs: [y] }) => {
      const weighted = mul(grad, y);
      return [sub(weighted, mul(y, sum(weighted, [-1], true)))];
    },
  }),
  // y = x - ln Σ eˣ over the last axis; dx = dy - eʸ Σ dy
  logSoftmax: defineOp<NoAttributes>({
    infer: ([x]) => [{ dtype: x.dtype, shape: x.shape }],
    onnx: () => ({ type: "LogSoftmax", attributes: { axis: -1 } }),
    gradient: ({ grad, outputs: [y] }) => [sub(grad, mul(exp(y), sum(grad, [-1], true)))],
  }),
  // over the last axis, with r = 1 / √(var x + ε): y = (x - mean x) r; dx = r (dy - mean dy - y mean(y dy)); outputs y, mean, r
  normalize: defineOp<{ readonly epsilon: number }>({
    infer([x]) {
      const statistics = { dtype: x.dtype, shape: [...x.shape.slice(0, -1), 1] };
      return [{ dtype: x.dtype, shape: x.shape }, statistics, statistics];
    },
    onnx: ({ epsilon }, [x]) => {
      const size = x.shape[x.shape.length - 1];
      return {
        type: "LayerNormalization",
        attributes: { axis: -1, epsilon: { float: epsilon } },
        constants: [halvesIn(x.dtype, { dtype: "float32", shape: [size], data: new Float32Array(size).fill(1) })],
      };
    },
    gradient({ grad, outputs: [y, , r] }) {
      const centred = sub(grad, mul(y, mean(mul(y, grad), [-1], true)));
      return [mul(r, sub(centred, mean(grad, [-1], true)))];
    },
  }),
  // over all but the channels, with r = 1 / √(var x + ε): y = γ (x - mean x) r + β; outputs y, mean, var;
  // dβ = Σ dy, dγ = r (Σ x dy - mean x Σ dy), dx = γ r (dy - dβ/n - (x - mean x) r dγ/n)
  batchNormalize: defineOp<{ readonly epsilon: number }>({
    infer([x, weight, bias]) {
      const [, channels] = x.shape;
      if (x.shape.length !== 4 || [weight, bias].some(({ shape }) => shape.length !== 1 || shape[0] !== channels))
        throw new ShapeError(`batchNormalize: ${[x, weight, bias].map(describe).join(", ")}`);
      const statistics = { dtype: x.dtype, shape: [channels] };
      return [{ dtype: x.dtype, shape: x.shape }, statistics, statistics];
    },
    onnx: ({ epsilon }) => ({
      type: "BatchNormalization",
      attributes: { epsilon: { float: epsilon }, momentum: { float: 0 }, training_mode: 1 },
    }),
    gradient({ grad, inputs: [x, weight], outputs: [, m, variance], attributes: { epsilon } }) {
      const count = x.shape[0] * x.shape[2] * x.shape[3];
      const r = div(1, sqrt(add(variance, epsilon)));
      const dBias = sum(grad, [0, 2, 3]);
      const dWeight = mul(r, sub(sum(mul(x, grad), [0, 2, 3]), mul(m, dBias)));
      // dx = a dy - b x + c with a, b, c for each channel
      const a = mul(weight, r);
      const b = mul(mul(a, r), mul(dWeight, 1 / count));
      const c = sub(mul(b, m), mul(a, mul(dBias, 1 / count)));
      const dx = add(sub(mul(grad, perChannel(a)), mul(x, perChannel(b))), perChannel(c));
      return [dx, dWeight, dBias, undefined, undefined];
    },
  }),
};

/** Sum over `axes`, all of them by default. */
export function sum(x: Value, axes: readonly number[] = x.shape.map((_, axis) => axis), keepDims = false): Value {
  return reduce("sum", x, axes, keepDims);
}

/** Mean over `axes`, all of them by default. */
export function mean(x: Value, axes: readonly number[] = x.shape.map((_, axis) => axis), keepDims = false): Value {
  return reduce("mean", x, axes, keepDims);
}

function reduce(op: "sum" | "mean", x: Value, axes: readonly number[], keepDims: boolean): Value {
  if (axes.length === 0) return x;
  const [y] = x.graph.apply(op, [x], { axes: normalizeAxes(op, axes, x.shape.length), keepDims });
  return y;
}

/** Softmax over the last axis. */
export function softmax(x: Value): Value {
  const [y] = x.graph.apply("softmax", [x], {});
  return y;
}

/** ln softmax over the last axis: finite where a probability is too small for a float. */
export function logSoftmax(x: Value): Value {
  const [y] = x.graph.apply("logSoftmax", [x], {});
  return y;
}

/** Mean 0 and variance 1 over the last axis (biased variance, as every normalisation layer has it). */
export function normalize(x: Value, epsilon: number): Value {
  const [y] = x.graph.apply("normalize", [x], { epsilon });
  return y;
}

/** {@link batchNormalize}'s result and what it was normalised by. */
export interface BatchNormalized {
  readonly y: Value;
  /** [C] */
  readonly mean: Value;
  /** Biased, [C]. */
  readonly variance: Value;
}

/**
 * Batch normalisation (Ioffe and Szegedy, arXiv 1502.03167) by the batch's own statistics: every channel of [B, C, H, W] at mean 0 and
 * variance 1, times `weight` plus `bias`, [C] each. Gradients go through the statistics.
 */
export function batchNormalize(x: Value, weight: Value, bias: Value, epsilon: number): BatchNormalized {
  // ONNX Runtime writes the statistics over these two, so they must be buffers that no other node reads: made from x, not constants.
  const corner = sliceAll(x, [0, 0, 0, 0], [1, x.shape[1], 1, 1]);
  const running = [mul(corner, 0), mul(mul(corner, corner), 0)].map((value) => reshape(value, weight.shape));
  const [y, mean, variance] = x.graph.apply("batchNormalize", [x, weight, bias, ...running], { epsilon });
  return { y, mean, variance };
}
