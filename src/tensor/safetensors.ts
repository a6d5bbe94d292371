/** Tensors in files: https://github.com/huggingface/safetensors. Read tensor by tensor, written in a stream. */

import type { FileHandle } from "node:fs/promises";
import { createHash } from "node:crypto";
import { ModelError } from "../system/errors.ts";
import { readFully, reasonOf, writeFileAtomic, writeFully } from "../system/files.ts";
import { withRegular, type Bound } from "../system/regular-files.ts";
import { CHUNK_BYTES, readHalves, readTensor, type Place } from "./safetensors-bytes.ts";
import { encodeHalves, type WrittenDType } from "./safetensors-dtypes.ts";
import { encodeHeader, layOut, MAX_HEADER_BYTES, parseHeader, type Header } from "./safetensors-header.ts";
import { otherKind } from "./not-safetensors.ts";
import { findScales, scaleRows } from "./safetensors-scales.ts";
import { BLANK_SEAL, seal, SEAL_KEY, type SealedFile } from "./safetensors-seal.ts";
import { toHalf } from "./half.ts";
import type { Float16Tensor, Tensor } from "./tensor.ts";

/** A file whose header has been read and checked. It is opened anew for each tensor, so there is nothing to close. */
export interface SafetensorsFile extends Header, SealedFile {
  /**
   * One tensor, in a buffer of its own: F64, F16, BF16 and F8 become float32, integers and BOOL int32.
   *
   * @throws ModelError if the file has no such tensor, has changed, or holds an integer that an int32 cannot.
   */
  read(name: string): Promise<Tensor>;
  /**
   * One tensor of floating-point numbers in half precision: F16 as it lies in the file, wider types rounded to the nearest, ties to even,
   * without a float32 copy of the whole. Numbers beyond 65504 become infinite.
   *
   * @throws ModelError as {@link SafetensorsFile.read}, and on integers.
   */
  readHalf(name: string): Promise<Float16Tensor>;
}

/**
 * Reads the header of a safetensors file.
 *
 * @param options.atMost for files whose tensors are all read, whatever they are; of others it is the model's shapes
 * @throws ModelError if the file is missing, too large, cut short or its header is not well-formed: path, tensor, expected, what came.
 * @example
 * const file = await openSafetensors("unet/diffusion_pytorch_model.safetensors");
 * const { shape, data } = await file.read("conv_in.weight");
 */
export async function openSafetensors(
  path: string,
  { atMost = Infinity }: Partial<Bound> = {},
): Promise<SafetensorsFile> {
  return withFile(path, { atMost }, async (file) => {
    const { size } = await file.stat();
    const start = new Uint8Array(8);
    const whole = size >= 8 && (await readFully(file, start, 0));
    if (!whole) throw new ModelError(`${path}: ${size} bytes are too few for a safetensors file (is it cut short?)`);
    const other = otherKind(start);
    if (other !== undefined) throw new ModelError(`${path}: ${other}`);
    const length = new DataView(start.buffer).getBigUint64(0, true);
    if (length > BigInt(size - 8) || length > BigInt(MAX_HEADER_BYTES)) {
      const limit = Math.min(size - 8, MAX_HEADER_BYTES);
      throw new ModelError(
        `${path}: the header's length is given as ${length} bytes, but at most ${limit} are possible; is this a safetensors file?`,
      );
    }
    const json = new Uint8Array(Number(length));
    if (!(await readFully(file, json, 8))) throw new ModelError(`${path}: the file is cut short in its header`);
    const dataStart = 8 + json.byteLength;
    const header = parseHeader(json, size - dataStart, path);
    const { scales, hidden } = findScales(header.tensors, path);
    const tensors = new Map([...header.tensors].filter(([name]) => !hidden.has(name)));
    const reading =
      <T>(read: (place: Place) => Promise<T>) =>
      async (name: string): Promise<T> => {
        const info = header.tensors.get(name);
        if (info === undefined) throw new ModelError(`${path}: tensor ${name} is missing`);
        return withFile(path, { atMost }, async (again) => {
          if ((await again.stat()).size !== size) throw new ModelError(`${path}: the file changed while it was in use`);
          return read({ file: again, info, start: dataStart + info.begin, what: `${path}: tensor ${name}` });
        });
      };
    const read = reading(readTensor);
    const readScaled = async (name: string): Promise<Tensor> => {
      const scale = scales.get(name);
      const tensor = await read(name);
      return scale === undefined ? tensor : scaleRows(tensor, await read(scale), `${path}: ${scale}`);
    };
    const halves = reading(readHalves);
    const readHalf = async (name: string): Promise<Float16Tensor> => {
      const scaled = scales.has(name) ? await readScaled(name) : undefined;
      return scaled?.dtype === "float32" ? toHalf(scaled) : halves(name);
    };
    return { ...header, tensors, path, size, dataStart, read: readScaled, readHalf };
  });
}

export interface WriteOptions {
  /** The type of float32 tensors in the file. */
  readonly dtype?: "F32" | "F16";
  /** The type of int32 tensors in the file: I64 is PyTorch's own integer. */
  readonly integers?: "I64" | "I32";
  /** Strings for the header; `format: "pt"`, which transformers insists on, is always among them. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** The key of the metadata that says the SHA-256 of all tensors' bytes, as ModelSpec wants it: `0x` and lower case. Default: none does. */
  readonly hashKey?: string;
  /** Whether the file says in its metadata what its SHA-256 is; isIntact checks it. */
  readonly sealed?: boolean;
}

/**
 * Writes tensors to a safetensors file, atomically and in pieces: converting to F16 takes no copy of the whole.
 * The bytes are those that the safetensors library writes for the same tensors and metadata.
 *
 * @throws RangeError if a name is used twice.
 */
export async function writeSafetensors(
  path: string,
  tensors: Iterable<{ readonly name: string; readonly tensor: Tensor }>,
  { dtype = "F32", integers = "I64", metadata = {}, hashKey, sealed = false }: WriteOptions = {},
): Promise<void> {
  const byName = new Map<string, Tensor>();
  const entries = Array.from(tensors, ({ name, tensor }) => {
    byName.set(name, tensor);
    return { name, dtype: tensor.dtype === "float32" ? dtype : integers, shape: tensor.shape };
  });
  const places = layOut(entries);
  const data = function* () {
    for (const [name, place] of places) {
      const tensor = byName.get(name);
      if (tensor !== undefined) yield* encode(tensor, place.dtype);
    }
  };
  const header = encodeHeader(
    places,
    Object.entries({
      format: "pt",
      ...metadata,
      ...(hashKey !== undefined && { [hashKey]: `0x${hashOf(data())}` }),
      ...(sealed && { [SEAL_KEY]: BLANK_SEAL }),
    }),
  );
  await writeFileAtomic(path, async (file) => {
    const hash = createHash("sha256");
    const write = async (bytes: Uint8Array): Promise<void> => {
      if (sealed) hash.update(bytes);
      await writeFully(file, bytes);
    };
    await write(header);
    for (const bytes of data()) await write(bytes);
    if (sealed) await seal(file, header, hash.digest("hex"));
  });
}

function hashOf(pieces: Iterable<Uint8Array>): string {
  const hash = createHash("sha256");
  for (const piece of pieces) hash.update(piece);
  return hash.digest("hex");
}

async function withFile<T>(path: string, bound: Bound, use: (file: FileHandle) => Promise<T>): Promise<T> {
  try {
    return await withRegular(path, bound, use);
  } catch (error) {
    if (error instanceof ModelError) throw error;
    throw new ModelError(`${path}: ${reasonOf(error)}`, { cause: error });
  }
}

function* encode(tensor: Tensor, dtype: WrittenDType): Generator<Uint8Array> {
  const { data } = tensor;
  const step = CHUNK_BYTES / 8;
  if (dtype === "F32" || dtype === "I32") yield new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  else
    for (let at = 0; at < data.length; at += step) {
      const part = data.subarray(at, at + step);
      const converted = part instanceof Float32Array ? encodeHalves(part) : BigInt64Array.from(part, BigInt);
      yield new Uint8Array(converted.buffer);
    }
}
