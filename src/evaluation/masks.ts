import type { Image } from "../images/image.ts";
import { UsageError } from "../system/errors.ts";

/** What stands in for a background: the mean of most encoders' normalisation. */
const GREY = 128;

/**
 * A picture with its background grey, so that a judge sees the subject alone.
 * @param mask of the picture's size, white where the subject is, grey where it covers a pixel in part
 * @throws UsageError when the sizes differ
 */
export function maskBackground(image: Image, mask: Image, name: string): Image {
  if (mask.width !== image.width || mask.height !== image.height)
    throw new UsageError(
      `${name}: the mask has ${mask.width} x ${mask.height} pixels, its picture ${image.width} x ${image.height}`,
    );
  const data = image.data.map((value, i) => {
    const share = mask.data[i - (i % 3)] / 255;
    return Math.round(share * value + (1 - share) * GREY);
  });
  return { ...image, data };
}
