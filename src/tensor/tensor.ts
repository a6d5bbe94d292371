/**
 * Host tensors: a typed array, a shape and a type. Row-major, contiguous, and a buffer of their own, but for the tensors of an arena (arena.ts).
 */

export type Shape = readonly number[];

export interface Float32Tensor {
  readonly dtype: "float32";
  readonly shape: Shape;
  readonly data: Float32Array;
}

export interface Int32Tensor {
  readonly dtype: "int32";
  readonly shape: Shape;
  readonly data: Int32Array;
}

/** What graphs compute with. */
export type Tensor = Float32Tensor | Int32Tensor;
export type DType = Tensor["dtype"];

/** Numbers in half precision, by their bits (IEEE 754 binary16): how frozen weights may be kept. Graphs read them as float32. */
export interface Float16Tensor {
  readonly dtype: "float16";
  readonly shape: Shape;
  readonly data: Uint16Array;
}

/** A model's parameter. */
export type Weight = Float32Tensor | Float16Tensor;

/** What a session can be fed. */
export type HostTensor = Tensor | Float16Tensor;

/** Number of elements of a shape; 1 for a scalar's empty shape. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, dimension) => product * dimension, 1);
}

/**
 * A zeroed Float32Array with an ArrayBuffer of its own.
 *
 * `new Float32Array(n)` may place small arrays on V8's heap at any multiple of 8 bytes. ONNX Runtime's reductions depend on a
 * buffer's alignment, so results only repeat from run to run when every buffer starts on a multiple of 16.
 */
export function float32Array(length: number): Float32Array<ArrayBuffer> {
  return new Float32Array(new ArrayBuffer(length * 4));
}

/** A zeroed Uint16Array with a buffer of its own, which ends on a multiple of 4 bytes: devices' memory is copied in words. */
export function float16Array(length: number): Uint16Array<ArrayBuffer> {
  return new Uint16Array(new ArrayBuffer(4 * Math.ceil(length / 2)), 0, length);
}

/** A float32 tensor over `data` (copied unless it is a Float32Array that owns its whole buffer). @throws RangeError on a wrong length. */
export function float32(data: ArrayLike<number>, shape: Shape = [data.length]): Float32Tensor {
  if (data.length !== sizeOf(shape))
    throw new RangeError(`${data.length} values cannot have shape [${shape.join(", ")}]`);
  const owns = data instanceof Float32Array && data.buffer.byteLength === data.byteLength;
  if (owns) return { dtype: "float32", shape, data };
  const copy = float32Array(data.length);
  copy.set(data);
  return { dtype: "float32", shape, data: copy };
}

/** The elements of an array, wherever it lies, as a tensor of one axis over the same memory. */
export function flatView(data: Float32Array): Float32Tensor {
  return { dtype: "float32", shape: [data.length], data };
}

/** An int32 tensor; `data` is copied. @throws RangeError on a wrong length. */
export function int32(data: ArrayLike<number>, shape: Shape = [data.length]): Int32Tensor {
  if (data.length !== sizeOf(shape))
    throw new RangeError(`${data.length} values cannot have shape [${shape.join(", ")}]`);
  const copy = new Int32Array(new ArrayBuffer(data.length * 4));
  copy.set(data);
  return { dtype: "int32", shape, data: copy };
}

/** A zeroed float32 tensor. */
export function zeros(shape: Shape): Float32Tensor {
  return { dtype: "float32", shape, data: float32Array(sizeOf(shape)) };
}

/** Tensors of one shape, stacked along a new first axis. @throws RangeError when empty or when shapes differ. */
export function stack(tensors: readonly Float32Tensor[]): Float32Tensor {
  const first = tensors[0];
  if (first === undefined) throw new RangeError("stack needs at least one tensor");
  const out = zeros([tensors.length, ...first.shape]);
  tensors.forEach((tensor, index) => {
    if (!sameShape(tensor.shape, first.shape))
      throw new RangeError(`stack: shape [${tensor.shape.join(", ")}] differs from [${first.shape.join(", ")}]`);
    out.data.set(tensor.data, index * tensor.data.length);
  });
  return out;
}

/** The tensors along the first axis of `tensor`, each copied: the inverse of {@link stack}. */
export function unstack(tensor: Float32Tensor): Float32Tensor[] {
  const [count = 0, ...shape] = tensor.shape;
  const size = sizeOf(shape);
  return Array.from({ length: count }, (_, i) => float32(tensor.data.slice(i * size, (i + 1) * size), shape));
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dimension, axis) => dimension === b[axis]);
}
