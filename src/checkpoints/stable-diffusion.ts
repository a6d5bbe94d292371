import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { SchedulerConfig } from "../diffusion/config.ts";
import type { TextModel } from "../diffusion/text-encoding.ts";
import type { ClipTextConfig } from "../models/clip/config.ts";
import type { UnetConfig } from "../models/unet/config.ts";
import { pixelsPerLatent, type VaeConfig } from "../models/vae/config.ts";
import type { BytePairVocabulary } from "../text/clip.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { textParameters, unetParameters, vaeParameters } from "./graphs.ts";
import type { ModelIndex } from "./model-index.ts";
import { openOriginal } from "./original/open.ts";
import { openVae } from "./other-vae.ts";
import { schedulerSettings, withSettings } from "./prediction.ts";
import { checkConsistency } from "./stable-diffusion-checks.ts";
import { openPart, type Held, type OpenedParts, type OpenOptions, type Part } from "./part.ts";
import { readPipelineConfig, type PipelineConfig } from "./pipeline-config.ts";

export { unetGraph } from "./graphs.ts";

/** A text encoder with the tokenizer that feeds it. */
export interface TextEncoderPart extends Part<ClipTextConfig>, TextModel {
  readonly config: ClipTextConfig;
  readonly tokenizer: Tokenizer;
}

/** What of a checkpoint's configuration is not its folder's. */
export interface ConfigChanges {
  readonly scheduler: Readonly<Record<string, unknown>>;
  /** The file with the VAE's configuration; undefined where it is in `configFolder`. */
  readonly vae: string | undefined;
}

/** A Stable Diffusion checkpoint: all of its configuration, and its weights on demand. */
export interface StableDiffusion {
  /** The diffusers folder, or the file in the original layout. */
  readonly folder: string;
  /** The diffusers folder with its configuration; another than `folder` where the model is one file. */
  readonly configFolder: string;
  /** The vocabulary of its tokenizers where the configuration's folder holds none. */
  readonly vocabulary: BytePairVocabulary | undefined;
  readonly family: ModelIndex["family"];
  readonly unet: Part<UnetConfig>;
  readonly vae: Part<VaeConfig>;
  /** The checkpoint's, where another one is asked for; else the same. */
  readonly ownVae: Part<VaeConfig>;
  /** One, or SDXL's two. */
  readonly textEncoders: readonly TextEncoderPart[];
  /** As the pipeline uses it: outdated settings are corrected, and it predicts as was asked for. */
  readonly scheduler: SchedulerConfig;
  /** In what its settings differ from the file's in `configFolder`, and the VAE's configuration where that is another one's. */
  readonly changes: ConfigChanges;
  /** Whether guidance without a negative prompt steers away from zeros instead of the empty prompt. */
  readonly zerosWithoutNegative: boolean;
  /** The side in pixels of the pictures that the model was trained on. */
  readonly resolution: number;
}

/**
 * Opens a folder that diffusers' StableDiffusionPipeline or StableDiffusionXLPipeline saved, or a .safetensors file in the layout of
 * the original Stable Diffusion code.
 *
 * Reads every configuration and the headers of all weights, so that a damaged or contradictory checkpoint is known before anything long
 * begins; the weights themselves are read part by part.
 *
 * @throws ModelError on another kind of pipeline, on options that are not supported, on missing or misshapen tensors, and on parts
 * that do not fit each other
 * @example
 * const model = await openStableDiffusion("stable-diffusion-v1-5");
 * const unetWeights = await model.unet.load();
 */
export async function openStableDiffusion(path: string, options: OpenOptions = {}): Promise<StableDiffusion> {
  if ((await stat(path).catch(() => undefined))?.isFile() === true) {
    const { configFolder, vocabulary, config, parts, schedulerChanges } = await openOriginal(path, options);
    return assemble({ folder: path, configFolder, vocabulary }, config, parts, { options, schedulerChanges });
  }
  const config = await readPipelineConfig(path);
  const source = { folder: path, configFolder: path, vocabulary: undefined };
  return assemble(source, config, await openFolder(path, config, options), { options, schedulerChanges: {} });
}

/** Numbers of places, which older files of CLIP hold beside the weights: SD 1.5's own has them. */
const POSITIONS = [/(?:^|\.)embeddings\.position_ids$/];

async function openFolder(
  folder: string,
  { unet, vae, texts }: PipelineConfig,
  options: OpenOptions,
): Promise<OpenedParts> {
  const at = (part: string) => join(folder, part);
  const diffusers = { ...options, stem: "diffusion_pytorch_model" } as const;
  const encoders: Part<ClipTextConfig>[] = [];
  for (const text of texts) {
    const expected = (held: Held) => textParameters(text, text.tokenizer.length, held);
    encoders.push(
      await openPart(at(text.name), text.config, expected, { ...options, stem: "model", ignore: POSITIONS }),
    );
  }
  return {
    unet: await openPart(at("unet"), unet, (held) => unetParameters(unet, held), diffusers),
    vae: await openPart(at("vae"), vae, (held) => vaeParameters(vae, held), diffusers),
    texts: encoders,
  };
}

/** A checkpoint of its parts, with another VAE and prediction where these are asked for. */
async function assemble(
  source: Pick<StableDiffusion, "folder" | "configFolder" | "vocabulary">,
  config: PipelineConfig,
  parts: OpenedParts,
  {
    options,
    schedulerChanges,
  }: { readonly options: OpenOptions; readonly schedulerChanges: ConfigChanges["scheduler"] },
): Promise<StableDiffusion> {
  const { index, unet, texts } = config;
  const other = options.vae === undefined ? undefined : await openVae(options.vae, config.vae, options);
  if (other !== undefined)
    checkConsistency(other.part.files[0].path, { family: index.family, unet, vae: other.part.config, texts });
  const vae = other?.part ?? parts.vae;
  const changed = options.prediction === undefined ? schedulerChanges : schedulerSettings(options.prediction);
  return {
    ...source,
    family: index.family,
    unet: parts.unet,
    vae,
    ownVae: parts.vae,
    textEncoders: parts.texts.map((part, i) => {
      const { projected, layer, tokenizer } = texts[i];
      return { ...part, projected, layer, tokenizer };
    }),
    scheduler: withSettings(config.scheduler, changed),
    changes: { scheduler: changed, vae: other?.configuration },
    zerosWithoutNegative: index.zerosWithoutNegative,
    resolution: unet.sampleSize * pixelsPerLatent(vae.config),
  };
}
