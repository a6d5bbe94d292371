import type { StableDiffusion } from "../checkpoints/stable-diffusion.ts";
import { bucketOf, bucketSizes, bucketStep, cutOff, type Bucket } from "../images/buckets.ts";
import { coverOf, cropTo, type CropMode } from "../images/crop.ts";
import type { Image, Size } from "../images/image.ts";
import { pixelsPerLatent } from "../models/vae/config.ts";
import type { TrainSettings } from "../settings/train-settings.ts";
import { UsageError } from "../system/errors.ts";
import { say, setting } from "../system/message.ts";

/** What photos are cut to, to be trained on. */
export interface Cutting {
  readonly mode: CropMode;
  /** What becomes of a photo. */
  readonly sizeOf: (photo: Size) => Size;
  /** Whether that depends on the photo. */
  readonly hasBuckets: boolean;
}

type Settings = Pick<TrainSettings, "crop" | "resolution">;

/** What the sides of pictures have to be multiples of for a model to halve them evenly: pixels of a latent times how often its U-Net halves them. */
export function sidesMultiple({ unet, vae }: Pick<StableDiffusion, "unet" | "vae">): number {
  return pixelsPerLatent(vae.config) * 2 ** (unet.config.blockOutChannels.length - 1);
}

/** Squares, whatever the photo; of a training with buckets the middle, as the pictures have that it draws. */
export function squareCutting({ crop, resolution: side }: Settings): Cutting {
  return {
    mode: crop === "none" ? "none" : "center",
    sizeOf: () => ({ width: side, height: side }),
    hasBuckets: false,
  };
}

/**
 * As the settings say.
 * @param multiple see {@link sidesMultiple}
 * @throws UsageError where the resolution has no buckets but the square
 */
export function cuttingOf(settings: Settings, multiple: number): Cutting {
  const { crop, resolution } = settings;
  if (crop !== "bucket") return squareCutting(settings);
  const step = bucketStep(resolution, multiple);
  const buckets = bucketSizes(resolution, step);
  if (buckets.length < 2)
    throw new UsageError(
      say`${setting("crop", crop)}: in steps of ${step} pixels ${setting("resolution", resolution)} has no shape but the square; expected at least ${2 * step} pixels`,
    );
  return { mode: "center", sizeOf: (photo) => bucketOf(photo, buckets), hasBuckets: true };
}

/** A photo, or its mask, as it is trained. */
export function cutPhoto(image: Image, { mode, sizeOf }: Cutting): Image {
  return cropTo(image, sizeOf(image), mode);
}

/** Of a photo that has one. */
export function bucketOfPhoto(photo: Size, { sizeOf, hasBuckets }: Cutting): Bucket | undefined {
  if (!hasBuckets) return undefined;
  const { width, height } = sizeOf(photo);
  return { width, height, cut: cutOff(photo, { width, height }) };
}

/**
 * SDXL's size conditions of a photo in its bucket: its height and width, top and left of what is cut out of the resized photo, the bucket's
 * height and width, as diffusers' scripts have them. (sd-scripts says of the corner where a photo lay that was fitted into the bucket.)
 */
export function sizeConditions(photo: Size, bucket: Size, { isMirrored }: { readonly isMirrored: boolean }): number[] {
  const { resized, left, top } = coverOf(photo, bucket);
  const first = isMirrored ? resized.width - bucket.width - left : left;
  return [photo.height, photo.width, top, first, bucket.height, bucket.width];
}
