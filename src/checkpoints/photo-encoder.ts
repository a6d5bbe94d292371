import { PHOTO_ENCODERS } from "./photo-encoder-names.ts";
import type { Image } from "../images/image.ts";
import type { ClipConfig } from "../models/clip/config.ts";
import type { UnetConfig } from "../models/unet/config.ts";
import type { SessionOptions } from "../runtime/session-options.ts";
import { assemble, type Resource } from "../runtime/resources.ts";
import { ModelError, UsageError } from "../system/errors.ts";
import { say, setting } from "../system/message.ts";
import { zeros, type Float32Tensor } from "../tensor/tensor.ts";
import { openClipVision, type ImageEncoderPart } from "./encoders.ts";
import { embeddedPart } from "./embedded.ts";
import { createImageEncoder } from "./feature-encoder.ts";
import type { OpenOptions } from "./part.ts";
import type { StableDiffusion } from "./stable-diffusion.ts";

/** The CLIP that reads photos for DisenBooth's image adapter, whose features are added to a text's states. */
export interface PhotoEncoderPart extends ImageEncoderPart<ClipConfig> {
  readonly folder: string;
}

/**
 * Opens a CLIP to read photos for a model.
 * @throws UsageError when its features are not as wide as the model's texts (the embedded CLIP's may be narrower), or the model is an XL; ModelError when it is damaged
 */
export async function openPhotoEncoder(
  folder: string,
  { unet: { config } }: Pick<StableDiffusion, "unet">,
  options: OpenOptions,
): Promise<PhotoEncoderPart> {
  checkReadsPhotos(config);
  const part = await openClipVision(folder, options);
  const { projectionDim: width } = part.config;
  const isShortOnPurpose = embeddedPart(folder) === "clip" && width < config.crossAttentionDim;
  if (width !== config.crossAttentionDim && !isShortOnPurpose)
    throw new UsageError(
      say`${setting("imageEncoder", folder)}: its features have ${width} numbers, the model's texts ${config.crossAttentionDim}; ${PHOTO_ENCODERS}`,
    );
  return { ...part, folder };
}

/** @throws UsageError for an XL */
function checkReadsPhotos({ addition }: UnetConfig): void {
  if (addition !== undefined)
    throw new UsageError(
      "DisenBooth's image adapter was not published for XL, which also reads a pooled text: it is for Stable Diffusion 1.x and 2.x",
    );
}

/** A CLIP that is ready to read photos. */
export interface PhotoEncoder extends Resource {
  /** A picture's features as CLIP projects them, not of unit length, with zeros behind them where texts are wider, [1, D]. */
  readonly features: (image: Image) => Promise<Float32Tensor>;
}

/** Compiles a CLIP to read photos for a U-Net. */
export async function createPhotoEncoder(
  part: PhotoEncoderPart,
  { crossAttentionDim: width }: Pick<UnetConfig, "crossAttentionDim">,
  session: SessionOptions,
): Promise<PhotoEncoder> {
  return assemble(async (own, release) => {
    const encoder = own(await createImageEncoder(part, session, { isUnit: false }));
    return {
      async features(image) {
        const [feature] = await encoder.images([image]);
        if (feature.length > width)
          throw new ModelError(`${part.folder}: its features are wider than the model's texts`);
        const out = zeros([1, width]);
        out.data.set(feature);
        return out;
      },
      release,
    };
  });
}
