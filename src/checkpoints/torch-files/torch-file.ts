import type { FileHandle } from "node:fs/promises";
import { ModelError } from "../../system/errors.ts";
import { readFully, reasonOf } from "../../system/files.ts";
import { MOST_BYTES, withRegular } from "../../system/regular-files.ts";
import { decodeFloats, FILE_DTYPES } from "../../tensor/safetensors-dtypes.ts";
import { sizeOf, zeros, type Float32Tensor } from "../../tensor/tensor.ts";
import { STORAGES } from "./torch-names.ts";
import { unpickle } from "./unpickle.ts";
import type { PickledValue, StoredTensor } from "./values.ts";
import { zipEntries, type ZipEntry } from "./zip.ts";

/** A file that `torch.save` wrote. */
export interface TorchFile {
  /** What was saved, tensors as places in the file. */
  readonly value: PickledValue;
  /** @throws ModelError where the file does not hold it, or it is larger than the file */
  read(tensor: StoredTensor, name: string): Promise<Float32Tensor>;
}

/** A part of a larger table is saved with the whole table: the text encoder of an XL has 250 MB of them. */
const MOST_FILE_BYTES = 2e9;

/**
 * Reads a file that `torch.save` wrote since PyTorch 1.6, running nothing in it.
 * @throws ModelError for another file, an older one, and whatever is more than tensors and plain values
 */
export async function openTorchFile(path: string): Promise<TorchFile> {
  const inFile = async <T>(use: (file: FileHandle, size: number) => Promise<T>): Promise<T> => {
    try {
      return await withRegular(path, { atMost: MOST_FILE_BYTES }, use);
    } catch (error) {
      if (error instanceof ModelError) throw error;
      throw new ModelError(`${path}: expected a file that torch.save wrote, but ${reasonOf(error)}`, { cause: error });
    }
  };
  const { entries, folder, value } = await inFile(async (file, size) => {
    const start = Buffer.alloc(2);
    await readFully(file, start, 0);
    if (start[0] === 0x80) throw new Error("it is one of PyTorch before 1.6; load it and save it again there");
    const found = await zipEntries(file, size);
    const [name] = [...found.keys()].filter((key) => /(^|\/)data\.pkl$/.test(key));
    const entry = name === undefined ? undefined : found.get(name);
    if (name === undefined || entry === undefined) throw new Error("it holds no data.pkl");
    const inside = name.slice(0, -"data.pkl".length);
    const order = found.get(`${inside}byteorder`);
    if (order !== undefined && (await bytesOf(file, order)).toString() !== "little")
      throw new Error("its numbers are big-endian");
    return { entries: found, folder: inside, value: unpickle(await bytesOf(file, entry)) };
  });
  return {
    value,
    read: (tensor, name) =>
      inFile(async (file) => {
        const entry = entries.get(`${folder}data/${tensor.numbers.key}`);
        if (entry === undefined) throw new Error(`${name}'s numbers are missing`);
        return readTensor(file, entry, tensor, name);
      }),
  };
}

/** More than all that a text encoder reads, and than a layer of the widest image adapter. */
const MOST_NUMBERS = 4e6;

async function readTensor(
  file: FileHandle,
  entry: ZipEntry,
  { numbers, offset, shape, strides }: StoredTensor,
  name: string,
): Promise<Float32Tensor> {
  const dtype = STORAGES[numbers.type as keyof typeof STORAGES];
  const { bytes, becomes } = FILE_DTYPES[dtype];
  if (becomes !== "float32") throw new Error(`${name} holds integers, expected numbers`);
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] !== 1 && strides[i] !== step) throw new Error(`${name} does not lie in one piece`);
    step *= shape[i];
  }
  const size = sizeOf(shape);
  if (size > MOST_NUMBERS || (offset + size) * bytes > entry.size)
    throw new Error(`${name} has shape [${shape.join(", ")}], more than the file holds`);
  const source = new Uint8Array(new ArrayBuffer(size * bytes));
  if (!(await readFully(file, source, entry.begin + offset * bytes))) throw new Error("the file is cut short");
  const out = zeros(shape);
  decodeFloats(dtype, source, out.data, 0);
  return out;
}

async function bytesOf(file: FileHandle, { begin, size }: ZipEntry): Promise<Buffer> {
  if (size > MOST_BYTES.text) throw new Error(`its data.pkl has ${size} bytes, expected at most ${MOST_BYTES.text}`);
  const bytes = Buffer.alloc(size);
  if (!(await readFully(file, bytes, begin))) throw new Error("the file is cut short");
  return bytes;
}
