import { decodeFloats, encodeHalves } from "./safetensors-dtypes.ts";
import {
  float16Array,
  float32Array,
  type Float16Tensor,
  type Float32Tensor,
  type HostTensor,
  type Weight,
} from "./tensor.ts";

/** The nearest halves, ties to even; beyond 65504 infinite. */
export function toHalf({ shape, data }: Float32Tensor): Float16Tensor {
  const halves = float16Array(data.length);
  encodeHalves(data, halves);
  return { dtype: "float16", shape, data: halves };
}

/** The nearest halves where halves are wanted, else the tensor itself. */
export function halvesIn(dtype: HostTensor["dtype"], tensor: Float32Tensor): Weight {
  return dtype === "float16" ? toHalf(tensor) : tensor;
}

/** The same numbers in float32; the tensor itself where it is so. */
export function toFloat32(tensor: Weight): Float32Tensor {
  if (tensor.dtype === "float32") return tensor;
  const { shape, data } = tensor;
  const numbers = float32Array(data.length);
  decodeFloats("F16", new Uint8Array(data.buffer, data.byteOffset, data.byteLength), numbers, 0);
  return { dtype: "float32", shape, data: numbers };
}

/** The exponent of infinity and NaN. */
const NO_NUMBER = 0x7c00;

export function isFiniteHalf(data: Uint16Array): boolean {
  return data.every((bits) => (bits & NO_NUMBER) !== NO_NUMBER);
}
