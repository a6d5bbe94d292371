import { extname } from "node:path";
import { MASK_END } from "../images/folder.ts";
import type { Image, Size } from "../images/image.ts";
import { readAlpha, readImage } from "../images/read.ts";
import { UsageError } from "../system/errors.ts";
import { exists } from "../system/files.ts";
import { say, setting } from "../system/message.ts";
import { zeros, type Float32Tensor } from "../tensor/tensor.ts";
import type { TrainSettings } from "../settings/train-settings.ts";
import { cutPhoto, type Cutting } from "./cutting.ts";

/** Where on a photo the subject is: masks that people bring. */

/** A photo's mask, white where it counts, and the file that it is from. */
export interface PhotoMask {
  readonly path: string;
  /** Of the photo's size. */
  readonly image: Image;
}

/**
 * The mask of a photo: that beside it, else what is not transparent in it; undefined where there is neither.
 * @throws UsageError when it cannot be read, or is not of the photo's size
 */
export async function readPhotoMask(photo: string, { width, height }: Size): Promise<PhotoMask | undefined> {
  const path = photo.slice(0, photo.length - extname(photo).length) + MASK_END;
  if (!(await exists(path))) {
    const image = await readAlpha(photo);
    return image && { path: photo, image };
  }
  const image = await readImage(path);
  if (image.width !== width || image.height !== height)
    throw new UsageError(
      `${path}: ${image.width} x ${image.height} pixels, expected ${width} x ${height}, as its photo has`,
    );
  return { path, image };
}

/**
 * How much each of a photo's latents counts, [1, 1, h, w]: the mask cut as the photo is, averaged over the pixels of a latent, with the rest counting
 * `outside`. sd-scripts' masked loss has it so, with an outside of 0.
 * @param factor pixels of a latent
 */
export function latentWeights(
  mask: Image,
  factor: number,
  { cutting, maskOutside }: { readonly cutting: Cutting } & Pick<TrainSettings, "maskOutside">,
): Float32Tensor {
  const { width, height, data } = cutPhoto(mask, cutting);
  const columns = width / factor;
  const weights = zeros([1, 1, height / factor, columns]);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      weights.data[Math.floor(y / factor) * columns + Math.floor(x / factor)] += data[3 * (y * width + x)] / 255;
  for (let i = 0; i < weights.data.length; i++)
    weights.data[i] = maskOutside + ((1 - maskOutside) * weights.data[i]) / factor ** 2;
  return weights;
}

/** @throws UsageError where it is black all over */
export function checkMask({ path, image }: PhotoMask): void {
  if (image.data.every((level) => level === 0))
    throw new UsageError(`${path}: the mask is black all over, so that nothing of the photo would be learnt`);
}

/** @throws UsageError where no photo has a mask */
export function checkMasks(masks: readonly unknown[], { images }: Pick<TrainSettings, "images">): void {
  if (masks.every((mask) => mask === undefined))
    throw new UsageError(
      say`${setting("maskedLoss")}: no photo in ${images} has a mask (expected such as dog${MASK_END} beside dog.jpg, or transparency); leave it out`,
    );
}
