import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { isFiniteHalf, toFloat32, toHalf } from "./half.ts";
import { Random } from "./random.ts";
import { openSafetensors, writeSafetensors } from "./safetensors.ts";
import { float32, int32 } from "./tensor.ts";

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), "half-"))));
afterAll(() => rm(folder, { recursive: true }));

// IEEE 754 binary16: 1 sign, 5 exponent (bias 15), 10 fraction bits
test("known numbers have their bits, rounded to nearest, ties to even", () => {
  const known: [number, number][] = [
    [1, 0x3c00],
    [-2, 0xc000],
    [-0, 0x8000],
    [1 / 3, 0x3555],
    [65504, 0x7bff],
    [65519.996, 0x7bff],
    [65520, 0x7c00],
    [-1e9, 0xfc00],
    [2 ** -14, 0x0400],
    [2 ** -14 - 2 ** -24, 0x03ff], // the largest subnormal number
    [2 ** -24, 0x0001],
    [2 ** -25, 0x0000],
    [1.5 * 2 ** -24, 0x0002],
    [2.5 * 2 ** -24, 0x0002],
    [1 + 2 ** -11, 0x3c00],
    [1 + 3 * 2 ** -11, 0x3c02],
  ];
  const tensor = toHalf(float32(known.map(([number]) => number)));
  expect([...tensor.data]).toEqual(known.map(([, bits]) => bits));
  expect(isFiniteHalf(tensor.data)).toBe(false);
  expect(isFiniteHalf(tensor.data.subarray(0, 6))).toBe(true);
});

test("what float16 holds comes back as it was", () => {
  const numbers = float32([0.5, -1.25, 65504, 2 ** -24, 0], [5, 1]);
  expect(toFloat32(toHalf(numbers))).toEqual(numbers);
  expect(toFloat32(numbers)).toBe(numbers);
});

test("halves are read as they lie in a file, and from float32 as if it had been converted whole", async () => {
  const path = join(folder, "halves.safetensors");
  const w = new Random(0).normal([3, 400_001]); // an odd number, and more than a piece
  const halves = toHalf(w);
  for (const dtype of ["F16", "F32"] as const) {
    await writeSafetensors(path, [{ name: "w", tensor: w }], { dtype });
    const read = await (await openSafetensors(path)).readHalf("w");
    expect(read.shape).toEqual(w.shape);
    expect(read.data.every((bits, i) => bits === halves.data[i])).toBe(true);
    expect(read.data.buffer.byteLength % 4).toBe(0);
  }
});

test("integers are no halves", async () => {
  const path = join(folder, "words.safetensors");
  await writeSafetensors(path, [{ name: "ids", tensor: int32([1, 2]) }]);
  const file = await openSafetensors(path);
  await expect(file.readHalf("ids")).rejects.toThrow("tensor ids: I64 are integers");
  await expect(file.readHalf("none")).rejects.toThrow("tensor none is missing");
});
