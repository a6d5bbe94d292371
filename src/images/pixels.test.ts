import { describe, expect, it } from "vitest";
import { float32 } from "../tensor/tensor.ts";
import { centerCrop } from "./crop.ts";
import type { Image } from "./image.ts";
import { toImage } from "./pixels.ts";

/** A picture of one row, grey. */
const row = (...values: number[]): Image => ({
  width: values.length,
  height: 1,
  data: Uint8Array.from(values.flatMap((value) => [value, value, value])),
});
const greys = ({ data }: Image): number[] => [...data].filter((_, i) => i % 3 === 0);

describe("toImage", () => {
  it("rounds halves to even, as NumPy does, and clips", () => {
    const values = [0.5 / 255, 1.5 / 255, 2.5 / 255, -1, 2, 0.6];
    const tensor = float32(Float32Array.from([...values, ...values, ...values]), [3, 1, 6]);
    // 0.5 / 255 * 255 and its like are exactly halves in 32 bits.
    expect(values.slice(0, 3).map((value) => Math.fround(Math.fround(value) * 255))).toEqual([0.5, 1.5, 2.5]);
    expect(greys(toImage(tensor))).toEqual([0, 2, 2, 0, 255, 153]);
  });

  it("takes channels first", () => {
    const image = toImage(float32([1, 0, 0, 1, 0, 0], [3, 2, 1]));
    expect(image).toEqual({ width: 1, height: 2, data: Uint8Array.from([255, 0, 0, 0, 255, 0]) });
  });

  it("refuses other shapes and NaN", () => {
    expect(() => toImage(float32([1, 2], [2, 1, 1]))).toThrow(/\[2, 1, 1\]/);
    expect(() => toImage(float32([1, NaN, 0], [3, 1, 1]))).toThrow(/NaN/);
  });
});

describe("centerCrop", () => {
  // transformers: start = (in - out) // 2 within the picture, ceil((out - in) / 2) black pixels before a smaller one.
  it("rounds what it cuts off down", () =>
    expect(greys(centerCrop(row(1, 2, 3, 4, 5), { width: 2, height: 1 }))).toEqual([2, 3]));
  it("rounds what it adds before up", () =>
    expect(greys(centerCrop(row(7, 8), { width: 5, height: 1 }))).toEqual([0, 0, 7, 8, 0]));
});
