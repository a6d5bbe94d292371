import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ModelError } from "../system/errors.ts";
import { openSafetensors } from "./safetensors.ts";

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "f8-"))));
afterEach(() => rm(folder, { recursive: true }));

/** A file of some bytes and F32 numbers. */
async function fileOf(tensors: Record<string, [dtype: string, shape: number[], data: Uint8Array | number[]]>) {
  let end = 0;
  const parts: Buffer[] = [];
  const header: Record<string, unknown> = {};
  for (const [name, [dtype, shape, data]] of Object.entries(tensors)) {
    const bytes = Buffer.from(data instanceof Uint8Array ? data : new Uint8Array(Float32Array.from(data).buffer));
    header[name] = { dtype, shape, data_offsets: [end, (end += bytes.byteLength)] };
    parts.push(bytes);
  }
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.byteLength));
  const path = join(folder, "f8.safetensors");
  await writeFile(path, Buffer.concat([length, json, ...parts]));
  return openSafetensors(path);
}

const EVERY_BYTE = Uint8Array.from({ length: 256 }, (_, byte) => byte);

// torch.arange(256, dtype=torch.uint8).view(torch.float8_e4m3fn).float(), PyTorch 2.15
const E4M3 = {
  0: 0,
  1: 2 ** -9,
  7: 7 * 2 ** -9,
  8: 2 ** -6,
  0x37: 0.9375,
  0x38: 1,
  0x7b: 352,
  0x7e: 448,
  0x7f: NaN,
  0x80: -0,
  0xb9: -1.125,
  0xfe: -448,
};
const E5M2 = {
  0: 0,
  1: 2 ** -16,
  7: 7 * 2 ** -16,
  8: 2 ** -13,
  0x37: 0.4375,
  0x38: 0.5,
  0x7b: 57344,
  0x7c: Infinity,
  0x7d: NaN,
  0xb9: -0.625,
  0xfe: NaN,
};
test.each([
  ["F8_E4M3", { some: E4M3, sum: 10815.75, finite: 254 }],
  ["F8_E5M2", { some: E5M2, sum: 720896, finite: 248 }],
] as const)("every byte of %s is PyTorch's number", async (dtype, { some, sum, finite }) => {
  const { data } = await (await fileOf({ w: [dtype, [256], EVERY_BYTE] })).read("w");
  for (const [byte, value] of Object.entries(some)) expect(data[Number(byte)], byte).toBe(value);
  const numbers = Array.from(data).filter((x) => Number.isFinite(x));
  expect(numbers.length).toBe(finite);
  expect(numbers.reduce((total, x) => total + Math.abs(x), 0)).toBeCloseTo(sum, 0);
  const halves = await (await fileOf({ w: [dtype, [4], EVERY_BYTE.subarray(0x38, 0x3c)] })).readHalf("w");
  expect(halves.data.length).toBe(4);
});

test("a weight in 8-bit floats is what is stored times its scale, one or one for each row; scales are no weights", async () => {
  const bytes = Uint8Array.of(0x38, 0x40, 0xb8, 0x44); // 1, 2, -1, 3
  const w: [string, number[], Uint8Array] = ["F8_E4M3", [2, 2], bytes];
  const one = await fileOf({ "a.weight": w, "a.scale_weight": ["F32", [], [0.5]], "a.scale_input": ["F32", [], [9]] });
  expect([...one.tensors.keys()]).toEqual(["a.weight"]);
  expect(Array.from((await one.read("a.weight")).data)).toEqual([0.5, 1, -0.5, 1.5]);
  expect(Array.from((await one.readHalf("a.weight")).data)).toEqual([0x3800, 0x3c00, 0xb800, 0x3e00]);
  const rows = await fileOf({ "a.weight": w, "a.weight_scale": ["F32", [2, 1], [2, 10]] });
  expect(Array.from((await rows.read("a.weight")).data)).toEqual([2, 4, -10, 30]);
  const bare = await fileOf({ hada_w1_a: w, "hada_w1_a.scale_weight": ["F32", [1], [2]] });
  expect(Array.from((await bare.read("hada_w1_a")).data)).toEqual([2, 4, -2, 6]);
  // without a weight it is a tensor like any other, and without 8-bit floats there are no scales
  expect([...(await fileOf({ w, "b.scale_weight": ["F32", [1], [2]] })).tensors.keys()]).toContain("b.scale_weight");
  const plain = await fileOf({ "a.weight": ["F32", [1], [3]], "a.scale_weight": ["F32", [1], [2]] });
  expect(Array.from((await plain.read("a.weight")).data)).toEqual([3]);
});

test("a scale of another shape, that is no number, or one of two is refused", async () => {
  const w: [string, number[], Uint8Array] = ["F8_E4M3", [2, 2], Uint8Array.of(1, 2, 3, 4)];
  await expect(fileOf({ "a.weight": w, "a.scale_weight": ["F32", [3], [1, 2, 3]] })).rejects.toThrow(
    "a.scale_weight has shape [3], expected one number, or one for each of 2 rows",
  );
  await expect(
    fileOf({ "a.weight": w, "a.scale_weight": ["F32", [], [1]], "a.weight_scale": ["F32", [], [1]] }),
  ).rejects.toThrow("a.scale_weight and a.weight_scale both scale a.weight");
  const infinite = await fileOf({ "a.weight": w, "a.scale_weight": ["F32", [], [Infinity]] });
  await expect(infinite.read("a.weight")).rejects.toThrow(ModelError);
});
