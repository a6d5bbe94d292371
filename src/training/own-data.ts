import { mirrored } from "../images/mirror.ts";
import type { TrainSettings } from "../settings/train-settings.ts";
import type { Float32Tensor } from "../tensor/tensor.ts";
import { readCaptions, type Caption } from "./captions.ts";
import { checkMask, checkMasks, latentWeights, readPhotoMask, type PhotoMask } from "./masks.ts";
import {
  encodePicture,
  trainingSquares,
  type Encoder,
  type Photo,
  type PhotoView,
  type TrainedPhoto,
} from "./photos.ts";

/** What people bring with their photos: texts, masks. */
export interface OwnData {
  /** By photo; undefined where it has none. */
  readonly captions: readonly (Caption | undefined)[];
  readonly masks: readonly (MaskOfPhoto | undefined)[];
  /** All of their files. */
  readonly files: readonly string[];
}

/** A mask's file; the mask itself is read again when it is needed. */
type MaskOfPhoto = Pick<PhotoMask, "path">;

type Settings = Pick<
  TrainSettings,
  "captions" | "token" | "class" | "maskedLoss" | "maskOutside" | "images" | "crop" | "resolution" | "flip"
>;

type ReadSettings = Omit<Settings, "resolution" | "crop" | "flip" | "maskOutside">;

/** Reads what belongs to photos. @throws UsageError naming the file that is wrong */
export async function readOwnData(photos: readonly Photo[], settings: ReadSettings): Promise<OwnData> {
  const data = await readBeside(photos, settings);
  if (settings.maskedLoss) checkMasks(data.masks, settings);
  return data;
}

/** Reads what belongs to a photo that no step sees: where it lacks something it is as a photo without. @throws UsageError naming the file that is wrong */
export async function readHeldOutData(photo: Photo, settings: ReadSettings): Promise<OwnData> {
  return readBeside([photo], { ...settings, captions: settings.captions === "off" ? "off" : "auto" });
}

async function readBeside(photos: readonly Photo[], settings: ReadSettings): Promise<OwnData> {
  const captions = await readCaptions(
    photos.map(({ path }) => path),
    settings,
  );
  const masks: (MaskOfPhoto | undefined)[] = [];
  if (settings.maskedLoss) {
    for (const photo of photos) {
      const mask = await readPhotoMask(photo.path, photo);
      if (mask !== undefined) checkMask(mask);
      masks.push(mask && { path: mask.path });
    }
  }
  const files = [...captions, ...masks].flatMap((each) => each?.path ?? []);
  return { captions, masks, files };
}

/**
 * Photos as steps learn from them, encoded once.
 * @param options.plain the prompt of those without a caption
 * @param options.factor pixels of a latent
 */
export async function trainedPhotos(
  photos: readonly Photo[],
  { captions, masks }: OwnData,
  settings: Settings,
  { plain, encode, factor }: { readonly plain: string; readonly encode: Encoder; readonly factor: number },
): Promise<Pick<TrainedPhotos, "photos" | "squares">> {
  const squares = await trainingSquares(photos, settings);
  const trained: TrainedPhoto[] = [];
  for (const [i, square] of squares.entries()) {
    const image = await square();
    const mask = masks.at(i) === undefined ? undefined : await readPhotoMask(photos[i].path, photos[i]);
    const weights = settings.maskedLoss ? weightsOf(mask, settings, factor) : undefined;
    const views: PhotoView[] = [{ encoded: await encodePicture(image, encode), weights }];
    if (settings.flip)
      views.push({
        encoded: await encodePicture(mirrored(image), encode),
        weights: weights && mirroredWeights(weights),
      });
    trained.push({ text: captions[i]?.text ?? plain, views });
  }
  return { photos: trained, squares };
}

/** Photos, and the squares that they are trained as. */
export interface TrainedPhotos {
  readonly photos: readonly TrainedPhoto[];
  readonly squares: Awaited<ReturnType<typeof trainingSquares>>;
}

/** Of a photo without a mask everything counts. */
function weightsOf(mask: PhotoMask | undefined, settings: Settings, factor: number): Float32Tensor {
  if (mask !== undefined) return latentWeights(mask.image, factor, settings);
  const side = settings.resolution / factor;
  return {
    dtype: "float32",
    shape: [1, 1, side, side],
    data: new Float32Array(new ArrayBuffer(4 * side ** 2)).fill(1),
  };
}

/** [1, 1, h, w] from right to left. */
function mirroredWeights({ shape, data }: Float32Tensor): Float32Tensor {
  const [, , , width] = shape;
  const out = new Float32Array(new ArrayBuffer(4 * data.length));
  for (let i = 0; i < data.length; i++) out[i] = data[i - (i % width) + (width - 1 - (i % width))];
  return { dtype: "float32", shape, data: out };
}
