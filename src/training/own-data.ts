import type { Image, Size } from "../images/image.ts";
import { mirrored } from "../images/mirror.ts";
import type { TrainSettings } from "../settings/train-settings.ts";
import { float32, type Float32Tensor } from "../tensor/tensor.ts";
import { readCaptions, type Caption } from "./captions.ts";
import { checkMask, checkMasks, latentWeights, readPhotoMask, type PhotoMask } from "./masks.ts";
import { bucketOfPhoto, sizeConditions, type Cutting } from "./cutting.ts";
import type { ReadingPrompts } from "./prompts.ts";
import { cutPhotos, encodePicture, type Encoder, type Photo, type PhotoView, type TrainedPhoto } from "./photos.ts";

/** What people bring with their photos: texts, masks. */
export interface OwnData {
  /** By photo; undefined where it has none. */
  readonly captions: readonly (Caption | undefined)[];
  readonly masks: readonly (MaskOfPhoto | undefined)[];
  /** All of their files. */
  readonly files: readonly string[];
}

/** Of one photo, where nothing beside it is read. */
export const NO_DATA: OwnData = { captions: [undefined], masks: [undefined], files: [] };

/** A mask's file; the mask itself is read again when it is needed. */
type MaskOfPhoto = Pick<PhotoMask, "path">;

type Settings = Pick<TrainSettings, "captions" | "token" | "class" | "maskedLoss" | "maskOutside" | "images" | "flip">;

type ReadSettings = Omit<Settings, "flip" | "maskOutside">;

/** Reads what belongs to photos. @throws UsageError naming the file that is wrong */
export async function readOwnData(
  photos: readonly Photo[],
  settings: ReadSettings,
  reading?: ReadingPrompts,
): Promise<OwnData> {
  const data = await readBeside(photos, settings, reading);
  if (settings.maskedLoss) checkMasks(data.masks, settings);
  return data;
}

/** Reads what belongs to a photo that no step sees: where it lacks something it is as a photo without. @throws UsageError naming the file that is wrong */
export async function readHeldOutData(
  photo: Photo,
  settings: ReadSettings,
  reading?: ReadingPrompts,
): Promise<OwnData> {
  return readBeside([photo], { ...settings, captions: settings.captions === "off" ? "off" : "auto" }, reading);
}

async function readBeside(
  photos: readonly Photo[],
  settings: ReadSettings,
  reading?: ReadingPrompts,
): Promise<OwnData> {
  const captions = await readCaptions(
    photos.map(({ path }) => path),
    settings,
    reading,
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

/** How photos are made ready. */
export interface TrainedPhotosOptions {
  /** The prompts of those without a caption, by their subjects. */
  readonly plain: readonly string[];
  readonly encode: Encoder;
  /** Pixels of a latent. */
  readonly factor: number;
  readonly cutting: Cutting;
  /** Whether the model reads sizes, as SDXL does. */
  readonly readsSizes: boolean;
  /** What a CLIP makes of a picture, [1, D], where the method learns from that. */
  readonly features?: ((image: Image) => Promise<Float32Tensor>) | undefined;
}

/** Photos as steps learn from them, encoded once. */
export async function trainedPhotos(
  photos: readonly Photo[],
  { captions, masks }: OwnData,
  settings: Settings,
  options: TrainedPhotosOptions,
): Promise<Pick<TrainedPhotos, "photos" | "cuts">> {
  const { plain, encode, cutting } = options;
  const cuts = await cutPhotos(photos, cutting);
  const trained: TrainedPhoto[] = [];
  for (const [i, cut] of cuts.entries()) {
    const image = await cut();
    const mask = masks.at(i) === undefined ? undefined : await readPhotoMask(photos[i].path, photos[i]);
    const weights = settings.maskedLoss ? weightsOf(mask, image, settings, options) : undefined;
    const viewOf = async (isMirrored: boolean): Promise<PhotoView> => {
      const picture = isMirrored ? mirrored(image) : image;
      return {
        encoded: await encodePicture(picture, encode),
        weights: isMirrored ? weights && mirroredWeights(weights) : weights,
        sizes: sizesOf(photos[i], options, { isMirrored }),
        features: await options.features?.(picture),
      };
    };
    const views = [await viewOf(false)];
    if (settings.flip) views.push(await viewOf(true));
    const text = captions[i]?.text ?? plain[photos[i].subject];
    trained.push({
      path: photos[i].path,
      subject: photos[i].subject,
      text,
      views,
      bucket: bucketOfPhoto(photos[i], cutting),
    });
  }
  return { photos: trained, cuts };
}

/** Photos, and their pictures as they are trained. */
export interface TrainedPhotos {
  readonly photos: readonly TrainedPhoto[];
  readonly cuts: Awaited<ReturnType<typeof cutPhotos>>;
}

/** SDXL's size conditions, where they are a photo's own. */
function sizesOf(
  photo: Size,
  { cutting, readsSizes }: Pick<TrainedPhotosOptions, "cutting" | "readsSizes">,
  view: { readonly isMirrored: boolean },
): Float32Tensor | undefined {
  if (!readsSizes || !cutting.hasBuckets) return undefined;
  const conditions = sizeConditions(photo, cutting.sizeOf(photo), view);
  return float32(conditions, [1, conditions.length]);
}

/** Of a photo without a mask everything counts. @param cut the photo as it is trained */
function weightsOf(
  mask: PhotoMask | undefined,
  cut: Size,
  { maskOutside }: Settings,
  { factor, cutting }: TrainedPhotosOptions,
): Float32Tensor {
  if (mask !== undefined) return latentWeights(mask.image, factor, { cutting, maskOutside });
  const [height, width] = [cut.height / factor, cut.width / factor];
  return {
    dtype: "float32",
    shape: [1, 1, height, width],
    data: new Float32Array(new ArrayBuffer(4 * height * width)).fill(1),
  };
}

/** [1, 1, h, w] from right to left. */
function mirroredWeights({ shape, data }: Float32Tensor): Float32Tensor {
  const [, , , width] = shape;
  const out = new Float32Array(new ArrayBuffer(4 * data.length));
  for (let i = 0; i < data.length; i++) out[i] = data[i - (i % width) + (width - 1 - (i % width))];
  return { dtype: "float32", shape, data: out };
}
