import { join } from "node:path";
import type { Bucket } from "../images/buckets.ts";
import { createImageCache, type ImageCache, type PictureSource } from "../images/image-cache.ts";
import type { Image, Size } from "../images/image.ts";
import { thumbnailOf, type Thumbnail } from "../images/same.ts";
import { splitPhotos } from "../images/hold-out.ts";
import { toTensor } from "../images/pixels.ts";
import { listPhotosIn } from "../images/folder.ts";
import { readHashedImage } from "../images/read.ts";
import { writePng } from "../images/write.ts";
import { UsageError } from "../system/errors.ts";
import { digestOf } from "../system/digest.ts";
import type { Random } from "../tensor/random.ts";
import { float32, float32Array, stack, unstack, type Float32Tensor } from "../tensor/tensor.ts";
import type { WrittenPicture } from "../runs/events.ts";
import { isWhole } from "../runs/pictures.ts";
import { photoImagePath } from "../runs/folder.ts";
import { subjectsOf } from "../settings/subjects.ts";
import type { TrainSettings } from "../settings/train-settings.ts";
import { cutPhoto, type Cutting } from "./cutting.ts";

/** A picture as the VAE sees it: the distribution of its latents, [C, H, W] each, before the VAE's scaling. */
export interface EncodedPicture {
  readonly mean: Float32Tensor;
  readonly deviation: Float32Tensor;
}

/** Encodes pixels [B, 3, H, W] in [-1, 1] into the latents' means and log variances [B, C, h, w]. */
export type Encoder = (
  pixels: Float32Tensor,
) => Promise<{ readonly mean: Float32Tensor; readonly logvar: Float32Tensor }>;

/** A photo of the subject. */
export interface Photo extends Size {
  readonly path: string;
  /** Of its file. */
  readonly sha256: string;
  readonly thumbnail: Thumbnail;
  /** Which of the run's subjects it is of, from 0. */
  readonly subject: number;
  /** Upright and in its own size; of many and large ones it is read again each time. */
  readonly picture: PictureSource;
}

/** A photo as steps learn from it. */
export interface TrainedPhoto extends Pick<Photo, "path"> {
  /** Which of the run's subjects it is of, from 0. */
  readonly subject?: number | undefined;
  /** What the model reads with it. */
  readonly text: string;
  /** As it is, and mirrored where that is wanted. */
  readonly views: readonly PhotoView[];
  /** Where photos have buckets. */
  readonly bucket?: Bucket | undefined;
}

export interface PhotoView {
  readonly encoded: EncodedPicture;
  /** How much each of its latents counts, [1, 1, h, w]; absent where all do alike. */
  readonly weights?: Float32Tensor | undefined;
  /** SDXL's size conditions, [1, 6], where they are the photo's own. */
  readonly sizes?: Float32Tensor | undefined;
  /** What a CLIP makes of it, [1, D], where the method learns from that. */
  readonly features?: Float32Tensor | undefined;
}

/** Bytes of photos in memory: eight of twelve megapixels. */
const HELD_BYTES = 3e8;

/** How many times longer than wide a photo may be: beyond it the square is a sliver, and resizing needs memory without end. */
const MOST_NARROW = 20;

/** The files of the photos to train on. @throws UsageError naming the folder or the photo to hold out */
export async function listPhotos({ images, holdOut }: Pick<TrainSettings, "images" | "holdOut">) {
  return splitPhotos(await listPhotosIn(images, "images"), holdOut).trained;
}

/** Photos that a training has: of each subject so many. @throws UsageError naming the folder */
export async function countPhotos(settings: Pick<TrainSettings, "images" | "holdOut" | "concepts">): Promise<number[]> {
  return Promise.all(subjectsOf(settings).map(async (own) => (await listPhotos(own)).length));
}

/** Reads the subject's photos, of several subjects those of one after the other, upright and in their own size. @throws UsageError naming the folder or file */
export async function readPhotos(settings: Pick<TrainSettings, "images" | "holdOut" | "concepts">): Promise<Photo[]> {
  const photos: Photo[] = [];
  const cache = createImageCache(HELD_BYTES);
  for (const [subject, own] of subjectsOf(settings).entries())
    for (const path of await listPhotos(own)) photos.push({ ...(await readPhoto(path, cache)), subject });
  return photos;
}

/** Reads the photo that is kept from training; undefined where none is. */
export async function readHeldOut({
  images,
  holdOut,
}: Pick<TrainSettings, "images" | "holdOut">): Promise<Photo | undefined> {
  const { heldOut } = splitPhotos(await listPhotosIn(images, "images"), holdOut);
  if (heldOut === undefined) return undefined;
  return { ...(await readPhoto(heldOut, createImageCache(HELD_BYTES))), subject: 0 };
}

async function readPhoto(path: string, cache: ImageCache): Promise<Omit<Photo, "subject">> {
  const facts: Omit<Photo, "path" | "picture" | "subject">[] = [];
  const picture = await cache.put(async () => {
    const { image, sha256 } = await readHashedImage(path);
    if (facts.length > 0 && facts[0].sha256 !== sha256)
      throw new UsageError(
        `${path}: changed while it was in use; leave the photos as they are until the run has begun`,
      );
    const { width, height } = image;
    if (facts.length === 0) facts.push({ sha256, width, height, thumbnail: thumbnailOf(image) });
    return image;
  });
  const [{ width, height }] = facts;
  if (Math.max(width, height) > MOST_NARROW * Math.min(width, height))
    throw new UsageError(
      `${path}: ${width} x ${height} pixels are too narrow a picture to train on (expected at most ${MOST_NARROW} times as long as wide)`,
    );
  return { path, picture, ...facts[0] };
}

/** The photos as they are trained; of many large ones each is cut again when it is wanted. */
export async function cutPhotos(photos: readonly Pick<Photo, "picture">[], cutting: Cutting): Promise<PictureSource[]> {
  const cache = createImageCache(HELD_BYTES);
  const cuts: PictureSource[] = [];
  for (const { picture } of photos) cuts.push(await cache.put(async () => cutPhoto(await picture(), cutting)));
  return cuts;
}

/**
 * Writes the photos as they are trained into a run's folder, those that are not there yet, or no longer what they were.
 * @param known what was written before
 */
export async function keepPhotos(
  run: string,
  cuts: readonly PictureSource[],
  known: ReadonlyMap<string, string>,
): Promise<WrittenPicture[]> {
  const kept: WrittenPicture[] = [];
  for (const [i, cut] of cuts.entries()) {
    const image = photoImagePath(i);
    const file = join(run, image);
    const before = known.get(image);
    const sha256 = (await isWhole(file, before))
      ? (before ?? (await digestOf(file)))
      : await writePng(file, await cut());
    kept.push({ image, sha256 });
  }
  return kept;
}

/** Encodes a picture once; steps draw their latents from the distribution. */
export async function encodePicture(image: Image, encode: Encoder): Promise<EncodedPicture> {
  return encodePixels(toTensor(image), encode);
}

/** @param pixels [3, H, W] in [-1, 1] */
export async function encodePixels(pixels: Float32Tensor, encode: Encoder): Promise<EncodedPicture> {
  const { mean, logvar } = await encode(stack([pixels]));
  return {
    mean: unstack(mean)[0],
    deviation: float32(
      unstack(logvar)[0].data.map((x) => Math.exp(0.5 * x)),
      mean.shape.slice(1),
    ),
  };
}

/** A draw of the latents, scaled as the U-Net reads them: (mean + deviation · ε) · scaling, [1, C, H, W]. */
export function drawLatents({ mean, deviation }: EncodedPicture, scaling: number, rng: Random): Float32Tensor {
  const noise = rng.normal(mean.shape);
  const data = float32Array(mean.data.length);
  for (let i = 0; i < data.length; i++) data[i] = (mean.data[i] + deviation.data[i] * noise.data[i]) * scaling;
  return { dtype: "float32", shape: [1, ...mean.shape], data };
}
