import { blankImage } from "./image.ts";
import type { Image } from "./image.ts";

/** Pictures of one size side by side, row by row, white where the last row ends early. @throws RangeError when sizes differ. */
export function grid(images: readonly Image[], columns: number): Image {
  const [first] = images;
  if (images.length === 0 || columns < 1) throw new RangeError("a grid needs at least one picture and one column");
  const { width, height } = first;
  const across = Math.min(columns, images.length);
  const out = blankImage({ width: width * across, height: height * Math.ceil(images.length / columns) }, 255);
  images.forEach((image, index) => {
    if (image.width !== width || image.height !== height)
      throw new RangeError(
        `a grid of ${width} x ${height} pictures cannot hold one of ${image.width} x ${image.height}`,
      );
    const left = (index % columns) * width;
    const top = Math.floor(index / columns) * height;
    for (let y = 0; y < height; y++)
      out.data.set(image.data.subarray(y * width * 3, (y + 1) * width * 3), ((top + y) * out.width + left) * 3);
  });
  return out;
}
