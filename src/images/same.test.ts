import { expect, test } from "vitest";
import sharp from "sharp";
import { Random } from "../tensor/random.ts";
import type { Image } from "./image.ts";
import { areSame, firstOfSame, thumbnailOf } from "./same.ts";

/** A smooth picture of random colours, as photos are. */
async function photo(seed: number): Promise<Image> {
  const rng = new Random(seed);
  const small = Buffer.from(Array.from({ length: 5 * 4 * 3 }, () => Math.floor(256 * rng.uniform())));
  return imageOf(
    await sharp(small, { raw: { width: 5, height: 4, channels: 3 } })
      .resize(500, 400)
      .png()
      .toBuffer(),
  );
}

async function imageOf(file: Buffer): Promise<Image> {
  const { data, info } = await sharp(file).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, data: new Uint8Array(data) };
}

function fileOf({ width, height, data }: Image) {
  return sharp(data, { raw: { width, height, channels: 3 } });
}

test("a picture is known again when it was saved anew, made smaller or larger, and another is not", async () => {
  const [one, other] = [await photo(1), await photo(2)];
  const again = [
    await fileOf(one).jpeg({ quality: 20 }).toBuffer(),
    await fileOf(one).webp({ quality: 50 }).toBuffer(),
    await fileOf(one).resize(101).png().toBuffer(),
    await fileOf(one).resize(900).jpeg({ quality: 60 }).toBuffer(),
  ];
  for (const file of again) {
    const picture = await imageOf(file);
    expect(areSame(thumbnailOf(one), thumbnailOf(picture))).toBe(true);
    expect(areSame(thumbnailOf(other), thumbnailOf(picture))).toBe(false);
  }
  const mirrored = await imageOf(await fileOf(one).flop().png().toBuffer());
  expect(areSame(thumbnailOf(one), thumbnailOf(mirrored))).toBe(false);
  const squeezed = await imageOf(await fileOf(one).resize(400, 400, { fit: "fill" }).png().toBuffer());
  expect(areSame(thumbnailOf(one), thumbnailOf(squeezed))).toBe(false);
  expect(firstOfSame([one, other, one, other, mirrored].map(thumbnailOf))).toEqual([0, 1, 0, 1, 4]);
});
