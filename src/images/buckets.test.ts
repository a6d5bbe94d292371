import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { bucketOf, bucketSizes, bucketStep, cutOff } from "./buckets.ts";
import { coverOf, cropSquare, cropTo } from "./crop.ts";
import { blankImage, type Image, type Size } from "./image.ts";

/** sd-scripts' own BucketManager: see make.py, beside the file. */
const golden = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../tests/golden/buckets/kohya.json"), "utf8"),
) as readonly {
  readonly resolution: number;
  readonly buckets: readonly Pair[];
  readonly photos: readonly { readonly photo: Pair; readonly bucket: Pair; readonly resized: Pair }[];
}[];
type Pair = readonly [width: number, height: number];
const sizeOf = ([width, height]: Pair): Size => ({ width, height });
const pairOf = ({ width, height }: Size): Pair => [width, height];
/** The part of a photo that is lost, by the pixels of the resized one. */
const lost = (resized: Size, bucket: Size) => 1 - (bucket.width * bucket.height) / (resized.width * resized.height);

describe.each(golden)("at $resolution pixels", ({ resolution, buckets, photos }) => {
  const sizes = bucketSizes(resolution, 64);

  test("the buckets are sd-scripts'", () => {
    expect(sizes.map(pairOf)).toEqual(buckets);
  });

  test("a photo's bucket is sd-scripts', or one in which less of it is lost", () => {
    let others = 0;
    for (const { photo, bucket } of photos) {
      const own = bucketOf(sizeOf(photo), sizes);
      if (own.width === bucket[0] && own.height === bucket[1]) continue;
      others++;
      const of = (size: Size) => lost(coverOf(sizeOf(photo), size).resized, size);
      // a pixel of rounding is within it
      expect([photo, of(own) < of(sizeOf(bucket)) + 2 / resolution]).toEqual([photo, true]);
      expect(cutOff(sizeOf(photo), own)).toBeLessThanOrEqual(cutOff(sizeOf(photo), sizeOf(bucket)));
    }
    expect(others / photos.length).toBeLessThan(0.15);
  });

  test("it is resized to the size that sd-scripts resizes it to, to a pixel", () => {
    for (const { photo, bucket, resized } of photos) {
      const own = coverOf(sizeOf(photo), sizeOf(bucket)).resized;
      expect(Math.abs(own.width - resized[0]) + Math.abs(own.height - resized[1])).toBeLessThanOrEqual(1);
    }
  });

  test("a photo that is turned by a quarter gets the turned bucket", () => {
    for (const { photo } of photos) {
      const { width, height } = sizeOf(photo);
      const turned = bucketOf({ width: height, height: width }, sizes);
      expect([turned.height, turned.width]).toEqual(pairOf(bucketOf({ width, height }, sizes)));
    }
  });

  test("buckets have no more pixels than the square, and sides of at most 4 to 1", () => {
    for (const { width, height } of sizes) {
      expect(width * height).toBeLessThanOrEqual(resolution ** 2);
      expect(Math.max(width / height, height / width)).toBeLessThanOrEqual(4);
      expect([width % 64, height % 64]).toEqual([0, 0]);
    }
  });
});

test("steps are of 64 pixels, or of the model's own multiple where pictures are small", () => {
  expect(bucketStep(512, 64)).toBe(64);
  expect(bucketStep(1024, 32)).toBe(64);
  expect(bucketStep(512, 96)).toBe(192);
  expect(bucketStep(64, 16)).toBe(16);
  expect(bucketSizes(64, 16).map(pairOf)).toContainEqual([80, 48]);
});

/** Every pixel another. */
function noise(size: Size): Image {
  const image = blankImage(size);
  for (let i = 0; i < image.data.length; i++) image.data[i] = (i * 7919) % 251;
  return image;
}

test("in a square a photo is what it is without buckets", () => {
  for (const [width, height] of [
    [31, 22],
    [22, 31],
    [9, 14],
    [20, 20],
  ])
    expect(cropTo(noise({ width, height }), { width: 8, height: 8 })).toEqual(cropSquare(noise({ width, height }), 8));
});

test("a photo covers its bucket, and the middle of it is kept", () => {
  // of 40 x 20 pixels, resized to 16 x 8, the middle 12 columns
  const image = blankImage({ width: 40, height: 20 });
  for (let y = 0; y < 20; y++)
    for (let x = 0; x < 40; x++) image.data.fill(x < 5 || x >= 35 ? 255 : 0, 3 * (40 * y + x), 3 * (40 * y + x) + 3);
  expect(coverOf(image, { width: 12, height: 8 })).toEqual({ resized: { width: 16, height: 8 }, left: 2, top: 0 });
  const cut = cropTo(image, { width: 12, height: 8 });
  expect([cut.width, cut.height]).toEqual([12, 8]);
  expect(cut.data.slice(3, -3).every((level) => level === 0 || level < 128)).toBe(true);
  expect(cutOff(image, { width: 12, height: 8 })).toBeCloseTo(0.25, 12);
});
