import { blankImage } from "./image.ts";
import type { Image, Size } from "./image.ts";
import { resize } from "./resize.ts";
import { roundHalfEven } from "../tensor/rounding.ts";

/**
 * The middle of `image`, with black around it where `image` is smaller: transformers' `center_crop`
 * (image_transforms.py), which rounds an odd rest towards the top left.
 */
export function centerCrop(image: Image, { width, height }: Size): Image {
  return cropAt(image, cropStart(image.width, width), cropStart(image.height, height), { width, height });
}

// What is cut off is rounded down. What is added before the picture is rounded up: the same division of a negative number.
const cropStart = (inSize: number, outSize: number): number => Math.floor((inSize - outSize) / 2);

/** The part of `image` whose top left corner is at (left, top), with black where it lies outside. */
function cropAt(image: Image, left: number, top: number, size: Size): Image {
  const out = blankImage(size);
  const from = Math.max(left, 0);
  const to = Math.min(left + size.width, image.width);
  for (let y = Math.max(top, 0); y < Math.min(top + size.height, image.height); y++) {
    const row = image.data.subarray((y * image.width + from) * 3, (y * image.width + to) * 3);
    out.data.set(row, ((y - top) * size.width + from - left) * 3);
  }
  return out;
}

/** How a picture gets another shape: the middle of it, or all of it with its aspect ratio given up. */
export type CropMode = "center" | "none";

/**
 * A photo as a square of `side` pixels, to train on: what diffusers' train_dreambooth.py does with `--center_crop`
 * (torchvision's `Resize(side)` and `CenterCrop(side)`), or with "none" a plain bilinear resize.
 */
export function cropSquare(image: Image, side: number, mode: CropMode = "center"): Image {
  return cropTo(image, { width: side, height: side }, mode);
}

/** A photo in a size, resized until it covers it and cut to it, or with "none" squeezed into it. Of a square what {@link cropSquare} says. */
export function cropTo(image: Image, size: Size, mode: CropMode = "center"): Image {
  if (mode === "none") return resize(image, { ...size, filter: "bilinear" });
  const { resized, left, top } = coverOf(image, size);
  return cropAt(resize(image, { ...resized, filter: "bilinear" }), left, top, size);
}

/** How a picture covers a size: the size that it is resized to, and where of that the middle begins. */
export interface Cover {
  readonly resized: Size;
  readonly left: number;
  readonly top: number;
}

/** One side of `size` fits, the other one is as long or longer, rounded down as torchvision's `Resize` does; half a pixel of the rest goes to the even side. */
export function coverOf({ width, height }: Size, size: Size): Cover {
  const resized =
    width * size.height > height * size.width
      ? { width: Math.trunc((size.height * width) / height), height: size.height }
      : { width: size.width, height: Math.trunc((size.width * height) / width) };
  return {
    resized,
    left: roundHalfEven((resized.width - size.width) / 2),
    top: roundHalfEven((resized.height - size.height) / 2),
  };
}

/** The size at which the shorter edge of `size` is `edge` long, the longer one rounded down (as transformers and torchvision do). */
export function shortestEdge({ width, height }: Size, edge: number): Size {
  const longer = Math.trunc((edge * Math.max(width, height)) / Math.min(width, height));
  return width <= height ? { width: edge, height: longer } : { width: longer, height: edge };
}
