import { expect, test } from "vitest";
import { blankImage } from "../images/image.ts";
import { mirrored } from "../images/mirror.ts";
import { cutPhoto, cuttingOf, sizeConditions, squareCutting } from "./cutting.ts";
import { latentWeights } from "./masks.ts";
import { bucketNote, checkBuckets } from "./photo-buckets.ts";
import { photoNotes } from "./photo-notes.ts";

const buckets = cuttingOf({ crop: "bucket", resolution: 512 }, 64);

test("a mask is cut as its photo is, and averaged over the pixels of each latent", () => {
  const cutting = cuttingOf({ crop: "bucket", resolution: 16 }, 4);
  // 40 x 24 pixels are 20 x 12 in steps of 4; white from column 10 on is white from column 5 on
  const mask = blankImage({ width: 40, height: 24 });
  for (let y = 0; y < 24; y++) mask.data.fill(255, 3 * (40 * y + 10), 3 * 40 * (y + 1));
  expect(cutting.sizeOf(mask)).toEqual({ width: 20, height: 12 });
  const { shape, data } = latentWeights(mask, 2, { cutting, maskOutside: 0 });
  expect(shape).toEqual([1, 1, 6, 10]);
  for (let y = 0; y < 6; y++) {
    const row = [...data.slice(10 * y, 10 * y + 10)];
    expect(row.slice(0, 2)).toEqual([0, 0]);
    expect(row[2]).toBeGreaterThan(0.3);
    expect(row[2]).toBeLessThan(0.7);
    expect(row.slice(3)).toEqual([1, 1, 1, 1, 1, 1, 1]);
  }
});

test("SDXL's sizes: the photo's height and width, top and left of the cut, the bucket's height and width; mirrored from the other side", () => {
  // 1000 x 300 covers 768 x 320 as 1066 x 320: 298 columns too many
  const photo = { width: 1000, height: 300 };
  expect(buckets.sizeOf({ width: 1000, height: 400 })).toEqual({ width: 768, height: 320 });
  const bucket = { width: 768, height: 320 };
  expect(sizeConditions(photo, bucket, { isMirrored: false })).toEqual([300, 1000, 0, 149, 320, 768]);
  // 301 x 100 covers 64 x 32 as 96 x 32; with 97 columns one more is left over on one side
  expect(sizeConditions({ width: 97, height: 32 }, { width: 64, height: 32 }, { isMirrored: false })[3]).toBe(16);
  expect(sizeConditions({ width: 97, height: 32 }, { width: 64, height: 32 }, { isMirrored: true })[3]).toBe(17);
});

test("the columns that a mirrored photo is said to begin with are those of the mirrored cut", () => {
  const photo = { width: 97, height: 32 };
  const image = blankImage(photo);
  for (let i = 0; i < image.data.length; i++) image.data[i] = Math.floor(i / 3) % 97;
  const cutting = { ...buckets, sizeOf: () => ({ width: 64, height: 32 }) };
  const [, , , left] = sizeConditions(photo, { width: 64, height: 32 }, { isMirrored: true });
  expect(mirrored(cutPhoto(image, cutting)).data[0]).toBe(mirrored(image).data[3 * left]);
});

test("without buckets every photo is the square, and class pictures of a training with buckets are", () => {
  for (const crop of ["center", "none"] as const)
    expect(cuttingOf({ crop, resolution: 8 }, 64).sizeOf({ width: 30, height: 20 })).toEqual({ width: 8, height: 8 });
  const { mode, hasBuckets, sizeOf } = squareCutting({ crop: "bucket", resolution: 8 });
  expect([mode, hasBuckets, sizeOf({ width: 30, height: 20 })]).toEqual(["center", false, { width: 8, height: 8 }]);
});

test("a resolution that has no shape but the square is refused, and so are methods that need one", () => {
  expect(() => cuttingOf({ crop: "bucket", resolution: 64 }, 64)).toThrow(
    "crop bucket: in steps of 64 pixels resolution 64 has no shape but the square; expected at least 128 pixels",
  );
  const settings = { crop: "bucket", method: "custom", positives: "photos" } as const;
  expect(() => {
    checkBuckets({ onlySquares: () => "frames photos in squares" }, settings);
  }).toThrow("crop bucket: method custom frames photos in squares; use crop center");
  checkBuckets({ onlySquares: () => "frames photos in squares" }, { ...settings, crop: "center" });
  checkBuckets({}, settings);
});

test("people are told of buckets, of what is cut off, and of photos that are made larger", () => {
  const photo = (name: string, width: number, height: number) => ({
    path: `/photos/${name}`,
    width,
    height,
    thumbnail: { ratio: width / height, pixels: Uint8Array.from([0, 0, 0, 255, 255, 255]) },
  });
  const photos = [photo("a.jpg", 4032, 3024), photo("b.jpg", 4000, 3000), photo("c.jpg", 300, 500)];
  // 4:3 into 9:7 keeps (9/7) / (4/3) = 27/28; 3:5 is 384 x 640 to the pixel
  expect(bucketNote(photos, buckets)).toBe(
    "photos in buckets, width x height: 2 of 576 x 448, 1 of 384 x 640; 2 % of a photo is cut off on average, at most 4 % (a.jpg)",
  );
  const notes = photoNotes(photos, { resolution: 512, cutting: buckets });
  expect(notes).toContain(
    "made larger to be trained on in their buckets, which blurs what is learnt: c.jpg (300 x 500)",
  );
});
