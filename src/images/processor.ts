import { mapPixels, pixelTable } from "./pixels.ts";
import { centerCrop, shortestEdge } from "./crop.ts";
import type { Image, Size } from "./image.ts";
import { resize } from "./resize.ts";
import type { Filter } from "./resize.ts";
import type { Float32Tensor } from "../tensor/tensor.ts";

/** How an encoder wants its pictures, in the order of the steps; a step that is undefined is left out. */
export interface ImageProcessor {
  readonly resize: { readonly size: Size | { readonly shortestEdge: number }; readonly filter: Filter } | undefined;
  readonly crop: Size | undefined;
  /** value * factor, less 1 with `offset`. */
  readonly rescale: { readonly factor: number; readonly offset: boolean } | undefined;
  /** (value - mean) / std for each channel, one after the other. */
  readonly normalize: readonly { readonly mean: readonly number[]; readonly std: readonly number[] }[];
}

/**
 * `image` as an encoder's input [3, height, width]: transformers' Pillow-based image processors, to the last bit of their floats.
 *
 * @example
 * const processor = await loadImageProcessor("dino-vits16", "dino");
 * const pixels = preprocess(processor, await readImage("dog.jpg")); // [3, 224, 224]
 */
export function preprocess(processor: ImageProcessor, image: Image): Float32Tensor {
  let picture = image;
  if (processor.resize) {
    const { size, filter } = processor.resize;
    const target = "shortestEdge" in size ? shortestEdge(image, size.shortestEdge) : size;
    picture = resize(image, { ...target, filter });
  }
  if (processor.crop) picture = centerCrop(picture, processor.crop);
  return mapPixels(picture, pixelTables(processor));
}

/** What each value of a pixel becomes for the encoder, by channel. */
export function pixelTables(processor: ImageProcessor): Float32Array[] {
  return [0, 1, 2].map((channel) => pixelTable((pixel) => valueOf(processor, pixel, channel)));
}

/** A pixel's value for the encoder, rounded to 32 bits where NumPy does. */
function valueOf({ rescale, normalize }: ImageProcessor, pixel: number, channel: number): number {
  let value = pixel;
  if (rescale) {
    value = Math.fround(value * rescale.factor);
    if (rescale.offset) value = Math.fround(value - 1);
  }
  for (const { mean, std } of normalize)
    value = Math.fround(Math.fround(value - Math.fround(mean[channel])) / Math.fround(std[channel]));
  return value;
}
