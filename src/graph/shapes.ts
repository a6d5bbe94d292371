import type { Shape } from "../tensor/tensor.ts";
import { ShapeError } from "./op.ts";

/** The shape of two operands after NumPy's broadcasting. @throws ShapeError where they do not match. */
export function broadcastShapes(op: string, a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const x = a[axis - rank + a.length] ?? 1;
    const y = b[axis - rank + b.length] ?? 1;
    if (x !== y && x !== 1 && y !== 1)
      throw new ShapeError(`${op}: [${a.join(", ")}] and [${b.join(", ")}] do not broadcast`);
    return x === 1 ? y : x;
  });
}

/** Axes counted from the front, in order. @throws ShapeError when out of range or repeated. */
export function normalizeAxes(op: string, axes: readonly number[], rank: number): number[] {
  const out = axes.map((axis) => (axis < 0 ? axis + rank : axis)).sort((a, b) => a - b);
  out.forEach((axis, i) => {
    if (!Number.isInteger(axis) || axis < 0 || axis >= rank || axis === out[i - 1])
      throw new ShapeError(`${op}: axes [${axes.join(", ")}] do not fit rank ${rank}`);
  });
  return out;
}

/** The permutation that undoes `permutation`. */
export function invertPermutation(permutation: readonly number[]): number[] {
  const inverse = new Array<number>(permutation.length);
  permutation.forEach((from, to) => (inverse[from] = to));
  return inverse;
}
