import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { expect, test } from "vitest";
import type { PictureSource } from "../images/image-cache.ts";
import { cuttingOf } from "./cutting.ts";
import { cutPhotos, readPhotos } from "./photos.ts";

/** Bytes of those pictures that are in memory: they are the same object each time. */
async function heldBytes(sources: readonly PictureSource[]): Promise<number> {
  let bytes = 0;
  for (const source of sources) {
    const image = await source();
    if (image === (await source())) bytes += image.data.length;
  }
  return bytes;
}

test("of many large photos at most 300 MB are held, and what is not is read again", async () => {
  const images = await mkdtemp(join(tmpdir(), "rpo-many-"));
  const [count, width, height] = [10, 4200, 3000];
  for (let i = 0; i < count; i++)
    await sharp({ create: { width, height, channels: 3, background: { r: 20 * i, g: 90, b: 20 } } })
      .jpeg()
      .toFile(join(images, `${i}.jpg`));
  const photos = await readPhotos({ images, holdOut: undefined });
  const held = await heldBytes(photos.map(({ picture }) => picture));
  expect(held).toBe(7 * 3 * width * height);
  expect(held).toBeLessThanOrEqual(3e8);
  // what they are trained as is small, and is held
  const cuts = await cutPhotos(photos, cuttingOf({ crop: "bucket", resolution: 64 }, 16));
  expect(await heldBytes(cuts)).toBe(count * 3 * 80 * 48);
  const last = await cuts[9]();
  expect([last.width, last.height]).toEqual([80, 48]);
}, 30_000);
