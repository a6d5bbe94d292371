/** Element types of safetensors files, and their conversion from and to the two types that host tensors have. */

import type { DType } from "./tensor.ts";

/** The types that are read; complex and packed types are not, nor the 8-bit floats of one vendor's chips (FNUZ) and bare exponents. */
export const FILE_DTYPES = {
  F64: { bytes: 8, becomes: "float32" },
  F32: { bytes: 4, becomes: "float32" },
  F16: { bytes: 2, becomes: "float32" },
  BF16: { bytes: 2, becomes: "float32" },
  // PyTorch's float8_e4m3fn and float8_e5m2, of the Open Compute Project's specification (OFP8)
  F8_E4M3: { bytes: 1, becomes: "float32" },
  F8_E5M2: { bytes: 1, becomes: "float32" },
  I64: { bytes: 8, becomes: "int32" },
  U64: { bytes: 8, becomes: "int32" },
  I32: { bytes: 4, becomes: "int32" },
  U32: { bytes: 4, becomes: "int32" },
  I16: { bytes: 2, becomes: "int32" },
  U16: { bytes: 2, becomes: "int32" },
  I8: { bytes: 1, becomes: "int32" },
  U8: { bytes: 1, becomes: "int32" },
  BOOL: { bytes: 1, becomes: "int32" },
} as const satisfies Record<string, { bytes: number; becomes: DType }>;

export type FileDType = keyof typeof FILE_DTYPES;

/** The types that are written, in the order in which the safetensors library lays tensors out: the widest alignment first. */
export const WRITTEN_DTYPES = ["I64", "F32", "I32", "F16"] as const;
export type WrittenDType = (typeof WRITTEN_DTYPES)[number];

/**
 * Converts floating-point elements.
 *
 * @param source Little-endian elements, as they lie in the file; a multiple of 8 bytes from its buffer's start.
 * @param target Written from `at` on.
 */
export function decodeFloats(dtype: FileDType, source: Uint8Array, target: Float32Array, at: number): void {
  const { buffer, byteOffset } = source;
  const count = source.byteLength / FILE_DTYPES[dtype].bytes;
  if (dtype === "F64") {
    target.set(new Float64Array(buffer, byteOffset, count), at);
  } else if (dtype === "F32") {
    target.set(new Float32Array(buffer, byteOffset, count), at);
  } else if (dtype === "F8_E4M3" || dtype === "F8_E5M2") {
    const table = (byteTables[dtype] ??= makeByteTable(dtype));
    for (let i = 0; i < count; i++) target[at + i] = table[source[i]];
  } else {
    // bit patterns, so that no NaN is changed on the way
    const halves = new Uint16Array(buffer, byteOffset, count);
    const bits = new Uint32Array(target.buffer, target.byteOffset + 4 * at, count);
    if (dtype === "BF16") for (let i = 0; i < count; i++) bits[i] = halves[i] << 16;
    else {
      const table = (halfTable ??= makeHalfTable());
      for (let i = 0; i < count; i++) bits[i] = table[halves[i]];
    }
  }
}

/**
 * Converts integers and booleans.
 *
 * @param source Little-endian elements, as they lie in the file; a multiple of 8 bytes from its buffer's start.
 * @param target Written from `at` on.
 * @returns The first number that an int32 cannot hold, if there is one.
 */
export function decodeIntegers(
  dtype: FileDType,
  source: Uint8Array,
  target: Int32Array,
  at: number,
): bigint | undefined {
  const { buffer, byteOffset } = source;
  const count = source.byteLength / FILE_DTYPES[dtype].bytes;
  if (dtype === "I64" || dtype === "U64") {
    const words = new Int32Array(buffer, byteOffset, 2 * count);
    for (let i = 0; i < count; i++) {
      const low = words[2 * i];
      // an int64 fits if its upper half only repeats the sign of the lower; a uint64 must have neither
      const fits = words[2 * i + 1] === (dtype === "I64" ? low >> 31 : 0) && (dtype === "I64" || low >= 0);
      if (!fits) {
        const view = new DataView(buffer, byteOffset + 8 * i);
        return dtype === "I64" ? view.getBigInt64(0, true) : view.getBigUint64(0, true);
      }
      target[at + i] = low;
    }
  } else if (dtype === "U32") {
    const words = new Uint32Array(buffer, byteOffset, count);
    const large = words.find((word) => word >= 2 ** 31);
    if (large !== undefined) return BigInt(large);
    target.set(words, at);
  } else if (dtype === "I32") target.set(new Int32Array(buffer, byteOffset, count), at);
  else if (dtype === "I16") target.set(new Int16Array(buffer, byteOffset, count), at);
  else if (dtype === "U16") target.set(new Uint16Array(buffer, byteOffset, count), at);
  else if (dtype === "I8") target.set(new Int8Array(buffer, byteOffset, count), at);
  else target.set(source, at);
  return undefined;
}

/** IEEE 754 binary16 of each number, rounded to nearest, ties to even, as PyTorch's `half()`; beyond 65504 infinite. */
export function encodeHalves(numbers: Float32Array, halves = new Uint16Array(numbers.length)): Uint16Array {
  const words = new Uint32Array(numbers.buffer, numbers.byteOffset, numbers.length);
  for (let i = 0; i < words.length; i++) halves[i] = halfBits(words[i]);
  return halves;
}

function halfBits(word: number): number {
  const sign = (word >>> 16) & 0x8000;
  const magnitude = word & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00; // NaN
  if (magnitude >= 0x477ff000) return sign | 0x7c00; // from 65520 on the nearest is infinity
  // normal: move the exponent's bias from 127 to 15, drop 13 bits of the fraction
  if (magnitude >= 0x38800000) return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
  if (magnitude <= 0x33000000) return sign; // up to 2^-25, half of the smallest subnormal number
  const shift = 126 - (magnitude >>> 23);
  const fraction = (magnitude & 0x7fffff) | 0x800000;
  const half = fraction >>> shift;
  const rest = fraction & ((1 << shift) - 1);
  const tie = 1 << (shift - 1);
  return sign | (half + (rest > tie || (rest === tie && (half & 1) === 1) ? 1 : 0));
}

const byteTables: Partial<Record<"F8_E4M3" | "F8_E5M2", Float32Array>> = {};

/** The number of each of the 256 bytes: sign, exponent, fraction. */
function makeByteTable(dtype: "F8_E4M3" | "F8_E5M2"): Float32Array {
  const [fractionBits, bias] = dtype === "F8_E4M3" ? [3, 7] : [2, 15];
  const fractions = 2 ** fractionBits;
  return Float32Array.from({ length: 256 }, (_, byte) => {
    const magnitude = byte & 0x7f;
    const [exponent, fraction] = [magnitude >>> fractionBits, magnitude % fractions];
    const sign = byte > 0x7f ? -1 : 1;
    // E4M3 has one NaN and no infinity, E5M2 has both as wider types do
    if (dtype === "F8_E4M3" ? magnitude === 0x7f : magnitude > 0x7c) return NaN;
    if (dtype === "F8_E5M2" && magnitude === 0x7c) return sign * Infinity;
    return exponent === 0
      ? sign * fraction * 2 ** (1 - bias - fractionBits)
      : sign * (1 + fraction / fractions) * 2 ** (exponent - bias);
  });
}

let halfTable: Uint32Array | undefined;

/** The float32 bit pattern of each of the 65536 halves. */
function makeHalfTable(): Uint32Array {
  const table = new Uint32Array(65536);
  const number = new Float32Array(1);
  const bits = new Uint32Array(number.buffer);
  for (let half = 0; half < 65536; half++) {
    const sign = (half & 0x8000) << 16;
    const exponent = (half >>> 10) & 31;
    const fraction = half & 0x3ff;
    if (exponent === 0) {
      number[0] = fraction * 2 ** -24;
      table[half] = sign | bits[0];
    } else if (exponent === 31) {
      table[half] = sign | 0x7f800000 | (fraction << 13);
    } else {
      table[half] = sign | ((exponent + 112) << 23) | (fraction << 13);
    }
  }
  return table;
}
