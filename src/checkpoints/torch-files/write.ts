import { makeZip } from "client-zip";
import { writeFileAtomic, writeFully } from "../../system/files.ts";
import { sizeOf, type Float32Tensor } from "../../tensor/tensor.ts";

/** Of every entry, so that the same tensors give the same bytes: the first day that zip files can name and all readers like. */
const WRITTEN = new Date(1980, 0, 1);

/** Writes float32 tensors as `torch.save(module.state_dict(), path)` does, for programs that read nothing else. */
export async function writeTorchFile(path: string, tensors: ReadonlyMap<string, Float32Tensor>): Promise<void> {
  const entry = (name: string, input: string | Uint8Array<ArrayBuffer>) => ({
    name: `archive/${name}`,
    lastModified: WRITTEN,
    input,
  });
  const bytesOf = ({ data }: Float32Tensor) =>
    Uint8Array.from(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  const entries = [
    entry("data.pkl", pickledState(tensors)),
    entry("byteorder", "little"),
    ...[...tensors.values()].map((tensor, i) => entry(`data/${i}`, bytesOf(tensor))),
    entry("version", "3\n"),
  ];
  await writeFileAtomic(path, async (file) => {
    for await (const bytes of makeZip(entries)) await writeFully(file, bytes);
  });
}

/**
 * A dictionary of tensors as Python's pickle has it in protocol 2, each tensor's numbers named by its place: PyTorch's `torch.save`, whose
 * opcodes are those of Lib/pickle.py.
 */
function pickledState(tensors: ReadonlyMap<string, Float32Tensor>): Uint8Array<ArrayBuffer> {
  const text = (value: string): Buffer => {
    const bytes = Buffer.from(value, "utf8");
    return Buffer.concat([Buffer.from("X"), uint32(bytes.length), bytes]);
  };
  const number = (value: number) => Buffer.concat([Buffer.from("J"), uint32(value)]);
  const tuple = (...items: readonly Buffer[]) => Buffer.concat([Buffer.from("("), ...items, Buffer.from("t")]);
  const name = (module: string, member: string) => Buffer.from(`c${module}\n${member}\n`);
  const called = (what: Buffer, ...args: readonly Buffer[]) => Buffer.concat([what, tuple(...args), Buffer.from("R")]);
  const emptyDictionary = called(name("collections", "OrderedDict"));
  const items = [...tensors].map(([key, { shape }], i) => {
    const storage = tuple(
      text("storage"),
      name("torch", "FloatStorage"),
      text(String(i)),
      text("cpu"),
      number(sizeOf(shape)),
    );
    const strides = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
    const numbers = Buffer.concat([storage, Buffer.from("Q")]);
    const isTrained = Buffer.from([0x89]); // requires_grad: false
    return Buffer.concat([
      text(key),
      called(
        name("torch._utils", "_rebuild_tensor_v2"),
        ...[numbers, number(0), tuple(...shape.map(number)), tuple(...strides.map(number)), isTrained, emptyDictionary],
      ),
    ]);
  });
  const whole = [Buffer.from([0x80, 2]), emptyDictionary, Buffer.from("("), ...items, Buffer.from("u.")];
  return Uint8Array.from(Buffer.concat(whole));
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
