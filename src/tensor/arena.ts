import { sizeOf, float32Array, type Float32Tensor, type Shape } from "./tensor.ts";

/** Tensors side by side in one buffer, so that an elementwise pass over all of them is a pass over one array. */
export interface Arena {
  readonly flat: Float32Array<ArrayBuffer>;
  /** Views of `flat`, each on a multiple of 16 bytes. */
  readonly tensors: ReadonlyMap<string, Float32Tensor>;
}

/** Elements to a multiple of which each tensor starts: 16 bytes. */
export const ALIGNMENT = 4;

/** A zeroed arena. @param multiple the flat array's length is rounded up to a multiple of this */
export function createArena(shapes: ReadonlyMap<string, Shape>, multiple = ALIGNMENT): Arena {
  let length = 0;
  const starts = new Map<string, number>();
  for (const [name, shape] of shapes) {
    starts.set(name, length);
    length = roundUp(length + sizeOf(shape), ALIGNMENT);
  }
  const flat = float32Array(roundUp(length, multiple));
  const tensors = new Map<string, Float32Tensor>();
  for (const [name, shape] of shapes) {
    const start = starts.get(name) ?? 0;
    tensors.set(name, { dtype: "float32", shape, data: flat.subarray(start, start + sizeOf(shape)) });
  }
  return { flat, tensors };
}

export function roundUp(n: number, multiple: number): number {
  return Math.ceil(n / multiple) * multiple;
}
