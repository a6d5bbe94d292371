import type { FileHandle } from "node:fs/promises";
import { ModelError } from "../system/errors.ts";
import { readFully } from "../system/files.ts";
import { decodeFloats, decodeIntegers, encodeHalves, FILE_DTYPES, type FileDType } from "./safetensors-dtypes.ts";
import type { TensorInfo } from "./safetensors-header.ts";
import { float16Array, float32Array, sizeOf, type Float16Tensor, type Tensor } from "./tensor.ts";

/** A tensor's bytes in an open file, as numbers. */

/** Types other than F32 and I32 are converted through a buffer of this size; a multiple of every element's size. */
export const CHUNK_BYTES = 2 ** 22;

/** Where a tensor is. */
export interface Place {
  readonly file: FileHandle;
  readonly info: TensorInfo;
  /** Its first byte in the file. */
  readonly start: number;
  /** For messages. */
  readonly what: string;
}

/** One tensor, as float32 or int32. @throws ModelError where the file is cut short, or an integer is too large */
export async function readTensor({ info: { dtype, shape }, ...place }: Place): Promise<Tensor> {
  const floats = FILE_DTYPES[dtype].becomes === "float32";
  const data = floats ? float32Array(sizeOf(shape)) : new Int32Array(new ArrayBuffer(4 * sizeOf(shape)));
  if (dtype === "F32" || dtype === "I32") await readInto(new Uint8Array(data.buffer), 0, place);
  else
    await inPieces({ ...place, dtype, length: sizeOf(shape) }, (source, at) => {
      if (data instanceof Float32Array) decodeFloats(dtype, source, data, at);
      else checkRange(decodeIntegers(dtype, source, data, at), dtype, place.what);
    });
  return data instanceof Float32Array ? { dtype: "float32", shape, data } : { dtype: "int32", shape, data };
}

/** One tensor of floating-point numbers, as float16. @throws ModelError as {@link readTensor}, and on integers */
export async function readHalves({ info: { dtype, shape }, ...place }: Place): Promise<Float16Tensor> {
  if (FILE_DTYPES[dtype].becomes !== "float32")
    throw new ModelError(`${place.what}: ${dtype} are integers, expected floating-point numbers`);
  const length = sizeOf(shape);
  const data = float16Array(length);
  if (dtype === "F16") await readInto(new Uint8Array(data.buffer, 0, data.byteLength), 0, place);
  else {
    const piece = float32Array(Math.min(length, CHUNK_BYTES / FILE_DTYPES[dtype].bytes));
    await inPieces({ ...place, dtype, length }, (source, at) => {
      const numbers = piece.subarray(0, source.byteLength / FILE_DTYPES[dtype].bytes);
      decodeFloats(dtype, source, numbers, 0);
      encodeHalves(numbers, data.subarray(at));
    });
  }
  return { dtype: "float16", shape, data };
}

/** Fills `target` with a tensor's bytes from `at` on. */
async function readInto(target: Uint8Array, at: number, { file, start, what }: Omit<Place, "info">): Promise<void> {
  if (!(await readFully(file, target, start + at)))
    throw new ModelError(`${what}: the file ended before the tensor's end`);
}

/** Gives a tensor's elements piece by piece, in a buffer that is used again. @param use takes bytes, and the place of their first element */
async function inPieces(
  { dtype, length, ...place }: Omit<Place, "info"> & { readonly dtype: FileDType; readonly length: number },
  use: (source: Uint8Array, at: number) => void,
): Promise<void> {
  const { bytes } = FILE_DTYPES[dtype];
  const buffer = new Uint8Array(new ArrayBuffer(Math.min(CHUNK_BYTES, length * bytes)));
  for (let done = 0; done < length * bytes; done += buffer.byteLength) {
    const source = buffer.subarray(0, Math.min(buffer.byteLength, length * bytes - done));
    await readInto(source, done, place);
    use(source, done / bytes);
  }
}

function checkRange(outside: bigint | undefined, dtype: FileDType, what: string): void {
  if (outside !== undefined)
    throw new ModelError(`${what}: ${dtype} value ${outside} does not fit into 32 bits, the widest integers supported`);
}
