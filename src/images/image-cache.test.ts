import { expect, test } from "vitest";
import { blankImage } from "./image.ts";
import { createImageCache } from "./image-cache.ts";

test("pictures are held while they fit, and read again from then on", async () => {
  const reads: string[] = [];
  const reader = (name: string, side: number) => () => {
    reads.push(name);
    return Promise.resolve(blankImage({ width: side, height: side }));
  };
  const cache = createImageCache(3 * 20);
  const small = await cache.put(reader("small", 4));
  const large = await cache.put(reader("large", 100));
  const tiny = await cache.put(reader("tiny", 2));
  expect(reads).toEqual(["small", "large", "tiny"]);
  expect((await small()).width).toBe(4);
  expect((await large()).width).toBe(100);
  expect((await large()).width).toBe(100);
  expect((await tiny()).width).toBe(2);
  expect(reads).toEqual(["small", "large", "tiny", "large", "large"]);
});

test("what cannot be read is told when it is put there", async () => {
  await expect(createImageCache().put(() => Promise.reject(new Error("damaged")))).rejects.toThrow("damaged");
});
