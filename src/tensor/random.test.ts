import { expect, test } from "vitest";
import { philox, Random } from "./random.ts";

test("philox equals the known answers of Random123's test vectors", () => {
  const hex = (words: Uint32Array) => [...words].map((word) => word.toString(16).padStart(8, "0")).join(" ");
  expect(hex(philox([0, 0], 0, 0, 0, 0))).toBe("6627e8d5 e169c58d bc57ac4c 9b00dbd8");
  const ones = 0xffffffff;
  expect(hex(philox([ones, ones], ones, ones, ones, ones))).toBe("408f276d 41c83b0e a20bc7c6 6d5451fd");
  expect(hex(philox([0xa4093822, 0x299f31d0], 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344))).toBe(
    "d16cfe09 94fdcceb 5001e420 24126ea1",
  );
});

test("normal numbers have mean 0, deviation 1 and no correlation between neighbours", () => {
  const { data } = new Random(1).normal([100_000]);
  const mean = data.reduce((sum, x) => sum + x, 0) / data.length;
  const square = data.reduce((sum, x) => sum + x * x, 0) / data.length;
  let neighbours = 0;
  for (let i = 1; i < data.length; i++) neighbours += ((data[i] ?? 0) * (data[i - 1] ?? 0)) / data.length;
  expect(Math.abs(mean)).toBeLessThan(0.015);
  expect(Math.abs(square - 1)).toBeLessThan(0.02);
  expect(Math.abs(neighbours)).toBeLessThan(0.015);
});

test("a split generator depends on the seed and its path, not on earlier draws", () => {
  const fresh = new Random(3).split("noise", 4).uniform();
  const used = new Random(3);
  used.normal([10]);
  expect(used.split("noise", 4).uniform()).toBe(fresh);
  expect(new Random(3).split("noise", 5).uniform()).not.toBe(fresh);
  expect(new Random(4).split("noise", 4).uniform()).not.toBe(fresh);
});
