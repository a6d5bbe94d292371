import { expect, test } from "vitest";
import { Random } from "../tensor/random.ts";
import { FRAME } from "../world/compose.ts";
import { pixelBatch } from "./pixels.ts";

test("pixels go from 0 ... 255 to -1 ... 1, channel by channel, and are shifted and mirrored with randomness", () => {
  // red grows to the right, green downwards
  const picture = new Uint8Array(FRAME * FRAME * 3);
  for (let y = 0; y < FRAME; y++) for (let x = 0; x < FRAME; x++) picture.set([4 * x, 4 * y, 255], (y * FRAME + x) * 3);
  const still = pixelBatch([picture]).data;
  const pixel = (data: Float32Array, channel: number, y: number, x: number) => data[(channel * FRAME + y) * FRAME + x];
  expect(pixel(still, 0, 9, 0)).toBe(-1);
  expect(pixel(still, 0, 9, 40)).toBeCloseTo(160 / 127.5 - 1, 6);
  expect(pixel(still, 1, 9, 40)).toBeCloseTo(36 / 127.5 - 1, 6);
  expect(pixel(still, 2, 0, 0)).toBe(1);
  const moves = new Set<string>();
  for (let seed = 0; seed < 60; seed++) {
    const moved = pixelBatch([picture], { rng: new Random(seed) }).data;
    const step = pixel(moved, 0, 30, 31) - pixel(moved, 0, 30, 30);
    const down = (pixel(moved, 1, 30, 30) - pixel(still, 1, 30, 30)) * (127.5 / 4);
    expect(Math.abs(step)).toBeCloseTo(4 / 127.5, 5);
    expect(Math.abs(Math.round(down))).toBeLessThanOrEqual(4);
    moves.add(`${Math.sign(step)} ${Math.round(down)}`);
  }
  expect(moves.size).toBeGreaterThan(10);
});

test("rows beyond the pictures are zero", () => {
  const white = new Uint8Array(FRAME * FRAME * 3).fill(255);
  const { data, shape } = pixelBatch([white], { rows: 2 });
  expect(shape).toEqual([2, 3, FRAME, FRAME]);
  expect(data.every((value, i) => value === (i < data.length / 2 ? 1 : 0))).toBe(true);
});
