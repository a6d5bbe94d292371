import { int32, sizeOf, type Shape } from "../../tensor/tensor.ts";
import { describe, type Value } from "../graph.ts";
import { defineOp, ShapeError, type OnnxConstant, type NoAttributes } from "../op.ts";
import { broadcastShapes, invertPermutation, normalizeAxes } from "../shapes.ts";
import { matmul } from "./matrix.ts";

/** Ops that move elements without computing on them. */

export interface SliceAttributes {
  readonly starts: readonly number[];
  readonly sizes: readonly number[];
  readonly steps: readonly number[];
}

const int64 = (values: readonly number[]): OnnxConstant => ({ dtype: "int64", values });

export const layoutOps = {
  // dx = dy in x's shape
  reshape: defineOp<{ readonly shape: Shape }>({
    infer([x], { shape }) {
      if (sizeOf(shape) !== sizeOf(x.shape))
        throw new ShapeError(`reshape: ${describe(x)} does not fit [${shape.join(", ")}]`);
      return [{ dtype: x.dtype, shape }];
    },
    onnx: ({ shape }) => ({ type: "Reshape", constants: [int64(shape)] }),
    gradient: ({ grad, inputs: [x] }) => [reshape(grad, x.shape)],
  }),
  // dx = dy with the axes put back
  transpose: defineOp<{ readonly permutation: readonly number[] }>({
    infer([x], { permutation }) {
      if (normalizeAxes("transpose", permutation, x.shape.length).length !== x.shape.length)
        throw new ShapeError(`transpose: [${permutation.join(", ")}] is no permutation of ${describe(x)}`);
      return [{ dtype: x.dtype, shape: permutation.map((axis) => x.shape[axis]) }];
    },
    onnx: ({ permutation }) => ({ type: "Transpose", attributes: { perm: permutation } }),
    gradient: ({ grad, attributes: { permutation } }) => [transpose(grad, invertPermutation(permutation))],
  }),
  // dxᵢ = the part of dy that came from xᵢ
  concat: defineOp<{ readonly axis: number }>({
    infer(inputs, { axis }) {
      const [first] = inputs;
      const shape = [...first.shape];
      shape[axis] = inputs.reduce((sum, x) => sum + x.shape[axis], 0);
      for (const x of inputs)
        if (x.shape.length !== shape.length || x.shape.some((n, i) => i !== axis && n !== shape[i]))
          throw new ShapeError(`concat on axis ${axis}: ${inputs.map(describe).join(", ")}`);
      return [{ dtype: first.dtype, shape }];
    },
    onnx: ({ axis }) => ({ type: "Concat", attributes: { axis } }),
    gradient({ grad, inputs, attributes: { axis }, needs }) {
      let start = 0;
      return inputs.map((x, i) => {
        const from = start;
        start += x.shape[axis];
        return needs(i) ? slice(grad, axis, from, start) : undefined;
      });
    },
  }),
  // the parts of x along an axis; dx = their gradients side by side
  split: defineOp<{ readonly axis: number; readonly sizes: readonly number[] }>({
    allOutputs: true,
    infer([x], { axis, sizes }) {
      if (sizes.some((n) => !Number.isInteger(n) || n < 1) || sizes.reduce((sum, n) => sum + n, 0) !== x.shape[axis])
        throw new ShapeError(`split on axis ${axis} into ${sizes.join(", ")}: ${describe(x)}`);
      return sizes.map((size) => ({ dtype: x.dtype, shape: x.shape.map((n, i) => (i === axis ? size : n)) }));
    },
    onnx: ({ axis, sizes }) => ({ type: "Split", attributes: { axis }, constants: [int64(sizes)] }),
    gradient: ({ grads, attributes: { axis } }) => [concat(grads, axis)],
  }),
  // dx = dy where it was taken from, zero elsewhere
  slice: defineOp<SliceAttributes>({
    infer([x], { sizes }) {
      if (sizes.length !== x.shape.length || sizes.some((n, i) => n < 1 || n > x.shape[i]))
        throw new ShapeError(`slice of [${sizes.join(", ")}] from ${describe(x)}`);
      return [{ dtype: x.dtype, shape: sizes }];
    },
    onnx({ starts, sizes, steps }, [x]) {
      const axes = starts.map((_, axis) => axis).filter((axis) => sizes[axis] !== x.shape[axis] || steps[axis] !== 1);
      const ends = axes.map((axis) => {
        const end = starts[axis] + (sizes[axis] - 1) * steps[axis] + Math.sign(steps[axis]);
        return end < 0 ? -(2 ** 31) : end;
      });
      return {
        type: "Slice",
        constants: [axes.map((axis) => starts[axis]), ends, axes, axes.map((axis) => steps[axis])].map(int64),
      };
    },
    gradient({ grad, inputs: [x], attributes: { starts, sizes, steps } }) {
      if (steps.every((step, axis) => step === 1 || sizes[axis] === x.shape[axis])) {
        const forward = reverse(
          grad,
          steps.flatMap((step, axis) => (step === -1 ? [axis] : [])),
        );
        const after = x.shape.map((n, axis) => (steps[axis] === 1 ? n - starts[axis] - sizes[axis] : 0));
        return [
          pad(
            forward,
            starts.map((start, axis) => (steps[axis] === 1 ? start : 0)),
            after,
          ),
        ];
      }
      throw new ShapeError("slice: a gradient for steps other than 1 and -1 is not implemented");
    },
  }),
  // dx = the inner part of dy
  pad: defineOp<{ readonly before: readonly number[]; readonly after: readonly number[] }>({
    infer: ([x], { before, after }) => [
      { dtype: x.dtype, shape: x.shape.map((n, axis) => before[axis] + n + after[axis]) },
    ],
    onnx: ({ before, after }) => ({ type: "Pad", constants: [int64([...before, ...after])] }),
    gradient: ({ grad, inputs: [x], attributes: { before } }) => [sliceAll(grad, before, x.shape)],
  }),
  // yᵢ = xᵢ₋ₛ along an axis, zero where that lies outside; dx = dy shifted back
  shift: defineOp<{ readonly axis: number; readonly by: number }>({
    infer([x], { axis, by }) {
      if (!(Math.abs(by) < x.shape[axis])) throw new ShapeError(`shift by ${by} on axis ${axis}: ${describe(x)}`);
      return [{ dtype: x.dtype, shape: x.shape }];
    },
    // padding by a negative number takes away
    onnx({ axis, by }, [x]) {
      const before = x.shape.map((_, i) => (i === axis ? by : 0));
      return { type: "Pad", constants: [int64([...before, ...before.map((n) => 0 - n)])] };
    },
    gradient: ({ grad, attributes: { axis, by } }) => [shift(grad, axis, -by)],
  }),
  // dx = dy summed over the copies, which `gradient` does for every op
  expand: defineOp<{ readonly shape: Shape }>({
    infer([x], { shape }) {
      broadcastShapes("expand", x.shape, shape);
      return [{ dtype: x.dtype, shape }];
    },
    onnx: ({ shape }) => ({ type: "Expand", constants: [int64(shape)] }),
    gradient: ({ grad }) => [grad],
  }),
  // rows of a table; dtable = one-hot(ids)ᵀ dy: exact, and small where vocabularies are
  gather: defineOp<NoAttributes>({
    infer([table, ids]) {
      if (ids.dtype !== "int32") throw new ShapeError(`gather: ids are ${describe(ids)}`);
      return [{ dtype: table.dtype, shape: [...ids.shape, ...table.shape.slice(1)] }];
    },
    onnx: () => ({ type: "Gather", attributes: { axis: 0 } }),
    gradient({ grad, inputs: [table, ids] }) {
      const [rows, ...rest] = table.shape;
      const count = sizeOf(ids.shape);
      const hot = oneHot(reshape(ids, [count]), rows);
      const rowGradients = matmul(hot, reshape(grad, [count, sizeOf(rest)]), { transA: true });
      return [reshape(rowGradients, table.shape), undefined];
    },
  }),
  oneHot: defineOp<{ readonly depth: number }>({
    infer: ([ids], { depth }) => [{ dtype: "float32", shape: [...ids.shape, depth] }],
    onnx: ({ depth }) => ({
      type: "OneHot",
      constants: [int32([depth]), { dtype: "float32", shape: [2], data: Float32Array.of(0, 1) }],
    }),
    gradient: "not differentiable",
  }),
};

export function reshape(x: Value, shape: Shape): Value {
  if (shape.length === x.shape.length && shape.every((n, i) => n === x.shape[i])) return x;
  const [y] = x.graph.apply("reshape", [x], { shape });
  return y;
}

export function transpose(x: Value, permutation: readonly number[]): Value {
  const [y] = x.graph.apply("transpose", [x], { permutation });
  return y;
}

/** Joins values along an axis, negative axes counting from the end. */
export function concat(values: readonly Value[], axis: number): Value {
  const [first] = values;
  if (values.length === 1) return first;
  const [y] = first.graph.apply("concat", values, { axis: axis < 0 ? axis + first.shape.length : axis });
  return y;
}

/** The two halves of `x` along its last axis. */
export function halves(x: Value): [Value, Value] {
  const axis = x.shape.length - 1;
  const half = x.shape[axis] / 2;
  const [first, second] = x.graph.apply("split", [x], { axis, sizes: [half, half] });
  return [first, second];
}

/** Elements `start` to before `end` along one axis. */
export function slice(x: Value, axis: number, start: number, end: number): Value {
  const at = axis < 0 ? axis + x.shape.length : axis;
  return sliceAll(
    x,
    x.shape.map((_, i) => (i === at ? start : 0)),
    x.shape.map((n, i) => (i === at ? end - start : n)),
  );
}

/** A block of `sizes` elements at `starts`, every `steps`-th element. */
export function sliceAll(
  x: Value,
  starts: readonly number[],
  sizes: readonly number[],
  steps = x.shape.map(() => 1),
): Value {
  if (sizes.every((n, i) => n === x.shape[i] && steps[i] === 1)) return x;
  const [y] = x.graph.apply("slice", [x], { starts, sizes, steps });
  return y;
}

/** Elements along `axes` in reverse order. */
export function reverse(x: Value, axes: readonly number[]): Value {
  const flipped = (axis: number) => axes.includes(axis) && x.shape[axis] > 1;
  return sliceAll(
    x,
    x.shape.map((n, axis) => (flipped(axis) ? n - 1 : 0)),
    x.shape,
    x.shape.map((_, axis) => (flipped(axis) ? -1 : 1)),
  );
}

/** Zeros around `x`. */
export function pad(x: Value, before: readonly number[], after: readonly number[]): Value {
  if ([...before, ...after].every((n) => n === 0)) return x;
  const [y] = x.graph.apply("pad", [x], { before, after });
  return y;
}

/** Elements moved by `by` places along an axis: what leaves is lost, zeros come in. */
export function shift(x: Value, axis: number, by: number): Value {
  if (by === 0) return x;
  const [y] = x.graph.apply("shift", [x], { axis, by });
  return y;
}

/** Copies along axes of size 1. */
export function expand(x: Value, shape: Shape): Value {
  if (shape.length === x.shape.length && shape.every((n, i) => n === x.shape[i])) return x;
  const [y] = x.graph.apply("expand", [x], { shape });
  return y;
}

/** Rows `ids` of `table`: [V, ...D] and int32 [...I] give [...I, ...D]. */
export function gather(table: Value, ids: Value): Value {
  const [y] = table.graph.apply("gather", [table, ids], {});
  return y;
}

export function oneHot(ids: Value, depth: number): Value {
  const [y] = ids.graph.apply("oneHot", [ids], { depth });
  return y;
}

/** The value in a shape that broadcasts over channels: [C] -> [1, C, 1, 1]. */
export function perChannel(x: Value): Value {
  return reshape(x, [1, x.shape[0], 1, 1]);
}
