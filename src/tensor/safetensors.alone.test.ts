import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ModelError } from "../system/errors.ts";
import { encodeHalves, decodeFloats } from "./safetensors-dtypes.ts";
import { openSafetensors, writeSafetensors } from "./safetensors.ts";
import { float32, int32, zeros, type Tensor } from "./tensor.ts";

// What safetensors.torch.save of safetensors 0.8.0 wrote, base64: one tensor of each type ...
const EVERY_TYPE =
  "KAMAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJmb3JtYXQiOiJwdCJ9LCJpZHMiOnsiZHR5cGUiOiJJNjQiLCJzaGFwZSI6WzEsMl0s" +
  "ImRhdGFfb2Zmc2V0cyI6WzAsMTZdfSwiZG91YmxlIjp7ImR0eXBlIjoiRjY0Iiwic2hhcGUiOlsxXSwiZGF0YV9vZmZzZXRzIjpb" +
  "MTYsMjRdfSwiYS53ZWlnaHQiOnsiZHR5cGUiOiJGMzIiLCJzaGFwZSI6WzNdLCJkYXRhX29mZnNldHMiOlsyNCwzNl19LCJiLndl" +
  "aWdodCI6eyJkdHlwZSI6IkYzMiIsInNoYXBlIjpbMiwzXSwiZGF0YV9vZmZzZXRzIjpbMzYsNjBdfSwiZW1wdHkiOnsiZHR5cGUi" +
  "OiJGMzIiLCJzaGFwZSI6WzAsNF0sImRhdGFfb2Zmc2V0cyI6WzYwLDYwXX0sInNjYWxhciI6eyJkdHlwZSI6IkYzMiIsInNoYXBl" +
  "IjpbXSwiZGF0YV9vZmZzZXRzIjpbNjAsNjRdfSwid29yZCI6eyJkdHlwZSI6IkkzMiIsInNoYXBlIjpbMl0sImRhdGFfb2Zmc2V0" +
  "cyI6WzY0LDcyXX0sImJyYWluIjp7ImR0eXBlIjoiQkYxNiIsInNoYXBlIjpbMl0sImRhdGFfb2Zmc2V0cyI6WzcyLDc2XX0sImhh" +
  "bGYiOnsiZHR5cGUiOiJGMTYiLCJzaGFwZSI6WzRdLCJkYXRhX29mZnNldHMiOls3Niw4NF19LCJzaG9ydCI6eyJkdHlwZSI6Ikkx" +
  "NiIsInNoYXBlIjpbMl0sImRhdGFfb2Zmc2V0cyI6Wzg0LDg4XX0sInNpZ25lZCI6eyJkdHlwZSI6Ikk4Iiwic2hhcGUiOlsyXSwi" +
  "ZGF0YV9vZmZzZXRzIjpbODgsOTBdfSwiYnl0ZSI6eyJkdHlwZSI6IlU4Iiwic2hhcGUiOlsyXSwiZGF0YV9vZmZzZXRzIjpbOTAs" +
  "OTJdfSwiZmxhZyI6eyJkdHlwZSI6IkJPT0wiLCJzaGFwZSI6WzJdLCJkYXRhX29mZnNldHMiOls5Miw5NF19fSAg/sAAAAAAAAD/" +
  "/////////5qZmZmZmbk/zczMPQAAIMAAAOBAAADAPwAAAIChUwAAAACAfwDgf8fNzMw9AAAgQAAAAIAHAAAAgD9JwAE8AQD/ewD8" +
  "AIADAIB//wABAA==";
// ... names and types in mixed order ...
const FLOATS_AND_IDS =
  "0AEAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJmb3JtYXQiOiJwdCJ9LCJpZHMiOnsiZHR5cGUiOiJJNjQiLCJzaGFwZSI6WzEsMl0s" +
  "ImRhdGFfb2Zmc2V0cyI6WzAsMTZdfSwiMTAiOnsiZHR5cGUiOiJGMzIiLCJzaGFwZSI6WzFdLCJkYXRhX29mZnNldHMiOlsxNiwy" +
  "MF19LCJhLndlaWdodCI6eyJkdHlwZSI6IkYzMiIsInNoYXBlIjpbM10sImRhdGFfb2Zmc2V0cyI6WzIwLDMyXX0sImIud2VpZ2h0" +
  "Ijp7ImR0eXBlIjoiRjMyIiwic2hhcGUiOlsyLDNdLCJkYXRhX29mZnNldHMiOlszMiw1Nl19LCJlbXB0eSI6eyJkdHlwZSI6IkYz" +
  "MiIsInNoYXBlIjpbMCw0XSwiZGF0YV9vZmZzZXRzIjpbNTYsNTZdfSwibmHDr3ZlIPCfkLYiOnsiZHR5cGUiOiJGMzIiLCJzaGFw" +
  "ZSI6WzFdLCJkYXRhX29mZnNldHMiOls1Niw2MF19LCJzY2FsYXIiOnsiZHR5cGUiOiJGMzIiLCJzaGFwZSI6W10sImRhdGFfb2Zm" +
  "c2V0cyI6WzYwLDY0XX19ICAgICAgIP7AAAAAAAAA//////////8AAABAzczMPQAAIMAAAOBAAADAPwAAAIChUwAAAACAfwDgf8fN" +
  "zMw9AACAPwAAIEA=";
// ... and 0.1, 1/3, 65519, 65520, 6.1e-5, 2^-24, 2^-25, 1.0001 * 2^-25, -1e-6 as PyTorch's half() rounds them.
const HALVES =
  "mAAAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJmb3JtYXQiOiJwdCJ9LCJpZHMiOnsiZHR5cGUiOiJJNjQiLCJzaGFwZSI6WzEsMl0s" +
  "ImRhdGFfb2Zmc2V0cyI6WzAsMTZdfSwidyI6eyJkdHlwZSI6IkYxNiIsInNoYXBlIjpbOV0sImRhdGFfb2Zmc2V0cyI6WzE2LDM0" +
  "XX19ICAgICAgIP7AAAAAAAAA//////////9mLlU1/3sAfP8DAQAAAAEAEYA=";

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), "safetensors-"))));
afterAll(() => rm(folder, { recursive: true }));

/** The path of a file of `bytes`. */
async function fileOf(bytes: Uint8Array): Promise<string> {
  const path = join(folder, "model.safetensors");
  await writeFile(path, bytes);
  return path;
}

/** A file with this header and so many zero bytes of data. */
function hostile(header: string | Uint8Array, dataBytes: number, length?: bigint): Uint8Array {
  const json = Buffer.from(header);
  const start = Buffer.alloc(8);
  start.writeBigUInt64LE(length ?? BigInt(json.byteLength));
  return Buffer.concat([start, json, Buffer.alloc(dataBytes)]);
}

const named = (tensors: Record<string, Tensor>) => Object.entries(tensors).map(([name, tensor]) => ({ name, tensor }));

test("every element type that the library writes is read", async () => {
  const file = await openSafetensors(await fileOf(Buffer.from(EVERY_TYPE, "base64")));
  const values = async (name: string) => Array.from((await file.read(name)).data);
  expect(file.metadata).toEqual(new Map([["format", "pt"]]));
  expect(file.tensors.get("b.weight")).toMatchObject({ dtype: "F32", shape: [2, 3] });
  expect(await values("b.weight")).toEqual([1.5, -0, Math.fround(3e-41), Infinity, -65504, Math.fround(0.1)]);
  expect(await values("half")).toEqual([1.0009765625, 2 ** -24, 65504, -Infinity]);
  expect(await values("brain")).toEqual([1, -3.140625]);
  expect(await values("double")).toEqual([Math.fround(0.1)]);
  expect(await values("ids")).toEqual([49406, -1]);
  expect(await values("word")).toEqual([-2147483648, 7]);
  expect(await values("short")).toEqual([-32768, 3]);
  expect(await values("signed")).toEqual([-128, 127]);
  expect(await values("byte")).toEqual([255, 0]);
  expect(await values("flag")).toEqual([1, 0]);
  expect(await file.read("scalar")).toMatchObject({ dtype: "float32", shape: [] });
  expect(await file.read("empty")).toMatchObject({ dtype: "float32", shape: [0, 4] });
  const { data } = await file.read("a.weight");
  expect(data.byteOffset).toBe(0);
  expect(data.buffer.byteLength).toBe(data.byteLength);
});

test("the bytes written are the library's own, whatever the order given", async () => {
  const path = join(folder, "written.safetensors");
  await writeSafetensors(
    path,
    named({
      scalar: float32([2.5], []),
      "naïve 🐶": float32([1]),
      ids: int32([49406, -1], [1, 2]),
      "b.weight": float32([1.5, -0, 3e-41, Infinity, -65504, 0.1], [2, 3]),
      "10": float32([2]),
      empty: zeros([0, 4]),
      "a.weight": float32([0.1, -2.5, 7]),
    }),
  );
  expect((await readFile(path)).toString("base64")).toBe(FLOATS_AND_IDS);
  const w = float32([0.1, 1 / 3, 65519, 65520, 6.1e-5, 2 ** -24, 2 ** -25, 2 ** -25 * 1.0001, -1e-6]);
  await writeSafetensors(path, named({ w, ids: int32([49406, -1], [1, 2]) }), { dtype: "F16" });
  expect((await readFile(path)).toString("base64")).toBe(HALVES);
  expect((await readdir(folder)).filter((name) => name.endsWith(".tmp"))).toEqual([]);
});

test("every half decodes to its formula's value and encodes back to itself", () => {
  const halves = Uint16Array.from({ length: 65536 }, (_, i) => i);
  const numbers = new Float32Array(65536);
  decodeFloats("F16", new Uint8Array(halves.buffer), numbers, 0);
  for (let half = 0; half < 65536; half++) {
    const [exponent, fraction] = [(half >> 10) & 31, half & 1023];
    const magnitude =
      exponent === 31
        ? fraction === 0
          ? Infinity
          : NaN
        : exponent === 0
          ? fraction * 2 ** -24
          : (1 + fraction / 1024) * 2 ** (exponent - 15);
    if (!Object.is(numbers[half], half >> 15 ? -magnitude : magnitude)) expect(numbers[half]).toBe(magnitude);
  }
  const back = encodeHalves(numbers);
  expect(halves.filter((half) => back[half] !== half && !Number.isNaN(numbers[half]))).toEqual(new Uint16Array());
});

test("a number between two halves becomes the nearer one, or the even one", () => {
  const pair = new Float32Array(2);
  for (let half = 0; half < 0x7bff; half += 7) {
    decodeFloats("F16", new Uint8Array(Uint16Array.of(half, half + 1).buffer), pair, 0);
    const middle = (pair[0] + pair[1]) / 2;
    const nudge = (pair[1] - pair[0]) / 64;
    expect([...encodeHalves(Float32Array.of(middle - nudge, middle, middle + nudge))]).toEqual([
      half,
      half + (half % 2),
      half + 1,
    ]);
  }
});

test("tensors larger than the conversion buffer are whole", async () => {
  const path = join(folder, "large.safetensors");
  const length = 5_000_001;
  const floats = zeros([length]);
  for (let i = 0; i < length; i++) floats.data[i] = i % 2048;
  const ints = int32(Array.from(floats.data, (x) => -x));
  await writeSafetensors(path, named({ floats, ints }), { dtype: "F16" });
  const file = await openSafetensors(path);
  expect(
    Buffer.compare(new Uint8Array((await file.read("floats")).data.buffer), new Uint8Array(floats.data.buffer)),
  ).toBe(0);
  expect(Buffer.compare(new Uint8Array((await file.read("ints")).data.buffer), new Uint8Array(ints.data.buffer))).toBe(
    0,
  );
});

test("int32 tensors can stay 32 bits wide", async () => {
  const path = join(folder, "words.safetensors");
  await writeSafetensors(path, named({ ids: int32([-5, 2 ** 31 - 1]) }), { integers: "I32", metadata: { step: "3" } });
  const file = await openSafetensors(path);
  expect(file.tensors.get("ids")?.dtype).toBe("I32");
  expect(Object.fromEntries(file.metadata)).toEqual({ format: "pt", step: "3" });
  expect(await file.read("ids")).toEqual(int32([-5, 2 ** 31 - 1]));
});

test("a name used twice is refused before anything is written", async () => {
  const tensor = zeros([1]);
  const path = join(folder, "twice.safetensors");
  await expect(
    writeSafetensors(path, [
      { name: "a", tensor },
      { name: "a", tensor },
    ]),
  ).rejects.toThrow(RangeError);
  expect(await readdir(folder)).not.toContain("twice.safetensors");
});

test("integers beyond 32 bits are an error that names the value", async () => {
  for (const [dtype, value] of [
    ["I64", 2n ** 31n],
    ["I64", -(2n ** 31n) - 1n],
    ["I64", 2n ** 32n],
    ["U64", 2n ** 32n - 1n],
    ["U32", 2n ** 32n - 1n],
  ] as const) {
    const bytes = dtype === "U32" ? 4 : 8;
    const data = Buffer.from(hostile(`{"n":{"dtype":"${dtype}","shape":[1],"data_offsets":[0,${bytes}]}}`, bytes));
    const at = data.byteLength - bytes;
    if (dtype === "U32") data.writeUInt32LE(Number(value), at);
    else data.writeBigUInt64LE(BigInt.asUintN(64, value), at);
    const file = await openSafetensors(await fileOf(data));
    await expect(file.read("n")).rejects.toThrow(`tensor n: ${dtype} value ${value} does not fit`);
  }
});

const ok = '"dtype":"F32","shape":[1],"data_offsets":[0,4]';
const at = (dtype: unknown, shape: unknown, offsets: unknown) =>
  JSON.stringify({ w: { dtype, shape, data_offsets: offsets } });
test.each<[string, Uint8Array, string]>([
  ["an empty file", Buffer.alloc(0), "0 bytes are too few"],
  ["a file of 7 bytes", Buffer.alloc(7), "7 bytes are too few"],
  ["a Git LFS pointer", Buffer.from("version https://git-lfs.github.com/spec/v1\noid sha256:0\n"), "Git LFS pointer"],
  ["a web page", Buffer.from("<!DOCTYPE html><html></html>"), "this is a web page, and no safetensors file"],
  ["a picture", Buffer.from("\x89PNG\r\n\x1a\n\0", "latin1"), "this is a picture"],
  ["a GGUF file", Buffer.from("GGUF\x03\0\0\0\x01"), "this is a GGUF file"],
  ["a server's words", Buffer.from("Access to model x is restricted"), 'begins with \"Access t\", and no safetensors'],
  ["header length 2^63", hostile("{}", 0, 2n ** 63n), "9223372036854775808 bytes, but at most 2 are possible"],
  ["header longer than the file", hostile("{}", 0, 3n), "at most 2"],
  ["a header above 10 MB", hostile(`{${" ".repeat(1e7)}}`, 0), "10000002 bytes, but at most 10000000"],
  ["header length 0", hostile("", 8), "must be a JSON object"],
  ["broken JSON", hostile('{"w":', 0), "not JSON"],
  ["text that is not UTF-8", hostile(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 0), "not JSON in UTF-8"],
  ["a list", hostile("[]", 0), "must be a JSON object"],
  ["a pickle", hostile("\x80\x02}q\x00", 0), "is this a safetensors file?"],
  ["deep nesting", hostile(`{"w":${"[".repeat(1e6)}`, 0), "must be a JSON object"],
  ["a key given twice", hostile(`{"w":{${ok}},"w":{${ok}}}`, 4), 'the name "w" twice'],
  ["a key given twice inside", hostile(`{"w":{${ok},"dtype":"I32"}}`, 4), 'the name "dtype" twice'],
  ["a key given twice by an escape", hostile(`{"w":{${ok}},"\\u0077":{${ok}}}`, 4), 'the name "w" twice'],
  ["a tensor named __proto__", hostile(`{"__proto__":{${ok}}}`, 4), "__proto__"],
  ["metadata that is no object", hostile('{"__metadata__":3}', 0), "__metadata__ must be an object"],
  ["metadata that is no text", hostile('{"__metadata__":{"a":{"b":"c"}}}', 0), '__metadata__ "a" must be a string'],
  ["a tensor that is no object", hostile('{"w":[1]}', 0), 'tensor "w": expected an object'],
  ["an unknown dtype", hostile(at("F8_E8M0", [4], [0, 4]), 4), 'tensor "w": dtype "F8_E8M0" is not supported'],
  ["a dtype of the prototype", hostile(at("toString", [4], [0, 4]), 4), 'dtype "toString" is not supported'],
  ["no dtype", hostile('{"w":{"shape":[1],"data_offsets":[0,4]}}', 4), 'tensor "w": dtype nothing'],
  ["a negative dimension", hostile(at("F32", [-1, -1], [0, 4]), 4), "shape must be"],
  ["a fractional dimension", hostile(at("F32", [0.5, 2], [0, 4]), 4), "shape must be"],
  ["a shape that is a text", hostile(at("F32", "1", [0, 4]), 4), "shape must be"],
  ["a shape beyond 2^53", hostile(at("F32", [2 ** 40, 2 ** 40, 0], [0, 0]), 0), "takes NaN bytes"],
  ["a wrong size", hostile(at("F32", [2], [0, 4]), 4), "F32 of shape [2] takes 8 bytes, but data_offsets span 4"],
  ["negative offsets", hostile(at("F32", [1], [-4, 0]), 4), "data_offsets must be"],
  ["fractional offsets", hostile(at("F32", [1], [0.5, 4.5]), 8), "data_offsets must be"],
  ["three offsets", hostile(at("F32", [1], [0, 4, 8]), 8), "data_offsets must be"],
  ["offsets beyond the file", hostile(at("F32", [2], [0, 8]), 4), "[0, 8] lie outside the file's 4 bytes"],
  ["offsets in reverse", hostile(at("F32", [1], [4, 0]), 4), "lie outside"],
  ["overlapping tensors", hostile(`{"v":{${ok}},"w":{${ok}}}`, 4), 'tensor "w" begins at 0, inside tensor "v"'],
  ["a gap", hostile(at("F32", [1], [4, 8]), 8), 'tensor "w" begins at 4, expected 0'],
  ["data that belongs to no tensor", hostile(at("F32", [1], [0, 4]), 8), "end at 4, but the file holds 8"],
])("%s is a ModelError that names the file, at once", async (_, bytes, message) => {
  const path = await fileOf(bytes);
  const start = performance.now();
  const error: unknown = await openSafetensors(path).catch((reason: unknown) => reason);
  expect(performance.now() - start).toBeLessThan(300);
  expect(error).toBeInstanceOf(ModelError);
  expect(String(error)).toContain(`${path}: `);
  expect(String(error)).toContain(message);
});

// 640 bytes are 80 02, 15420 and 24892 "<<" and "<a"
test.each([640, 15420, 24892])("a header of %s bytes is no pickle and no web page", async (length) => {
  const file = await openSafetensors(await fileOf(hostile(`{"w":{${ok}}}`.padEnd(length), 4)));
  expect([...file.tensors.keys()]).toEqual(["w"]);
});

test("a missing file, a folder and a missing tensor are ModelErrors", async () => {
  await expect(openSafetensors(join(folder, "none"))).rejects.toThrow("none: no such file");
  await expect(openSafetensors(folder)).rejects.toThrow("it is a folder");
  const file = await openSafetensors(await fileOf(hostile(`{"w":{${ok}}}`, 4)));
  await expect(file.read("v")).rejects.toThrow(new ModelError(`${file.path}: tensor v is missing`));
  await fileOf(hostile(`{"w":{${ok}}}`, 3));
  await expect(file.read("w")).rejects.toThrow("changed while it was in use");
});
