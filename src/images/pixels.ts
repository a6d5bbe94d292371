/** Between pictures and the tensors that models take and give. */
import { zeros } from "../tensor/tensor.ts";
import type { Float32Tensor } from "../tensor/tensor.ts";
import { blankImage } from "./image.ts";
import type { Image } from "./image.ts";
import { roundHalfEven } from "../tensor/rounding.ts";

/** `image` as a tensor [3, H, W] in [-1, 1], what VAEs encode: torchvision's `ToTensor` and `Normalize([0.5], [0.5])`. */
export function toTensor(image: Image): Float32Tensor {
  const table = pixelTable((value) => Math.fround(Math.fround(Math.fround(value / 255) - 0.5) / 0.5));
  return mapPixels(image, [table, table, table]);
}

/** The 256 values that a function of a pixel's value can take. */
export function pixelTable(value: (pixel: number) => number): Float32Array {
  return Float32Array.from({ length: 256 }, (_, pixel) => value(pixel));
}

/** `image` as a tensor [3, H, W], each channel looked up in a table of its own. */
export function mapPixels(image: Image, tables: readonly Float32Array[]): Float32Tensor {
  const out = zeros([3, image.height, image.width]);
  const area = image.width * image.height;
  tables.forEach((table, channel) => {
    for (let i = 0, from = channel; i < area; i++, from += 3) out.data[channel * area + i] = table[image.data[from]];
  });
  return out;
}

/**
 * A tensor [3, H, W] in [0, 1] as a picture, rounded as diffusers' `numpy_to_pil` does; values outside are clipped.
 *
 * @throws RangeError on another shape, or when a value is not a number: the model that gives such a tensor is to refuse it, by its name
 */
export function toImage(tensor: Float32Tensor): Image {
  const [channels, height, width] = tensor.shape;
  if (tensor.shape.length !== 3 || channels !== 3)
    throw new RangeError(`a picture needs shape [3, height, width], got [${tensor.shape.join(", ")}]`);
  const image = blankImage({ width, height });
  const area = width * height;
  for (let i = 0; i < tensor.data.length; i++) {
    const value = tensor.data[i];
    if (Number.isNaN(value)) throw new RangeError("a picture's tensor holds NaN");
    const clipped = Math.min(1, Math.max(0, value));
    image.data[(i % area) * 3 + Math.floor(i / area)] = roundHalfEven(Math.fround(clipped * 255));
  }
  return image;
}
