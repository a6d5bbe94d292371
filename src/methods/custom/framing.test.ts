import { expect, test } from "vitest";
import { Random } from "../../tensor/random.ts";
import { drawFraming, frame, framedText } from "./framing.ts";

const SIZE = 64;
const square = { width: SIZE, height: SIZE, data: new Uint8Array(3 * SIZE * SIZE).fill(255) };

test("two of three photos are smaller than the picture, the others larger, and the prompt says so", () => {
  const drawn = Array.from({ length: 3000 }, (_, i) => drawFraming(SIZE, new Random(i)));
  const small = drawn.filter(({ side }) => side <= SIZE);
  expect(small.length / drawn.length).toBeGreaterThan(0.63);
  expect(small.length / drawn.length).toBeLessThan(0.69);
  for (const { side, top, left, words } of drawn) {
    expect(side % 2).toBe(0);
    expect(side).toBeGreaterThanOrEqual(20);
    expect(side).toBeLessThanOrEqual(90);
    expect(Math.max(top, left)).toBeLessThanOrEqual(Math.abs(SIZE - side));
    const expected = side < 38.4 ? /^(a far away|very small) $/ : side > SIZE ? /^(zoomed in|close up) $/ : /^$/;
    expect(words).toMatch(expected);
  }
});

test("a small photo lies in a frame of zeros, and the mask one latent within it", () => {
  const { pixels, mask } = frame(square, { side: 32, top: 8, left: 16, words: "" }, 4);
  const at = (y: number, x: number) => pixels.data[y * SIZE + x];
  expect([at(7, 20), at(8, 15), at(8, 16), at(39, 47), at(40, 47), at(39, 48)]).toEqual([0, 0, 1, 1, 0, 0]);
  // rows 8 / 4 + 1 to (8 + 32) / 4 - 1, columns 16 / 4 + 1 to (16 + 32) / 4 - 1
  const ones = [...mask.data].flatMap((x, i) => (x === 1 ? [[Math.floor(i / 16), i % 16]] : []));
  expect(ones.at(0)).toEqual([3, 5]);
  expect(ones.at(-1)).toEqual([8, 10]);
  expect(ones).toHaveLength(6 * 6);
});

test("a large photo fills the picture, and its mask is whole; a tiny one keeps a latent", () => {
  const large = frame(square, { side: 80, top: 3, left: 9, words: "" }, 4);
  expect(large.pixels.data.every((x) => x === 1)).toBe(true);
  expect(large.mask.data.every((x) => x === 1)).toBe(true);
  const tiny = frame(square, { side: 22, top: 20, left: 20, words: "" }, 16);
  expect(tiny.mask.data.reduce((sum, x) => sum + x)).toBeGreaterThan(0);
});

test("a prompt's article goes where another word is put before it", () => {
  expect(framedText("a photo of [V] dog", "a far away ")).toBe("a far away photo of [V] dog");
  expect(framedText("photo of [V] dog", "zoomed in ")).toBe("zoomed in photo of [V] dog");
  expect(framedText("a photo of [V] dog", "")).toBe("a photo of [V] dog");
});
