import { blankImage, type Image } from "./image.ts";

/** A picture from right to left. */
export function mirrored(image: Image): Image {
  const { width, height, data } = image;
  const out = blankImage(image);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const from = 3 * (y * width + x);
      out.data.set(data.subarray(from, from + 3), 3 * (y * width + width - 1 - x));
    }
  return out;
}
