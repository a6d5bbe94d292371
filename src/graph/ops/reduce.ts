import type { Shape } from "../../tensor/tensor.ts";
import type { Value } from "../graph.ts";
import { defineOp, type NoAttributes } from "../op.ts";
import { normalizeAxes } from "../shapes.ts";
import { mul, sub } from "./elementwise.ts";
import { expand, reshape } from "./layout.ts";

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
        constants: [{ dtype: "float32", shape: [size], data: new Float32Array(size).fill(1) }],
      };
    },
    gradient({ grad, outputs: [y, , r] }) {
      const centred = sub(grad, mul(y, mean(mul(y, grad), [-1], true)));
      return [mul(r, sub(centred, mean(grad, [-1], true)))];
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

/** Mean 0 and variance 1 over the last axis (biased variance, as every normalisation layer has it). */
export function normalize(x: Value, epsilon: number): Value {
  const [y] = x.graph.apply("normalize", [x], { epsilon });
  return y;
}
