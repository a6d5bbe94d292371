import { join } from "node:path";
import type { Value } from "../graph/graph.ts";
import type { Size } from "../images/image.ts";
import { loadImageProcessor } from "../images/processor-config.ts";
import type { ImageProcessor } from "../images/processor.ts";
import { parseAlignConfig, type AlignConfig } from "../models/align/config.ts";
import { alignTextFeatures } from "../models/align/text.ts";
import { alignImageFeatures } from "../models/align/vision.ts";
import { parseClipConfig, type ClipConfig } from "../models/clip/config.ts";
import { clipEosRows, clipPooled, clipText, clipTextFeatures } from "../models/clip/text.ts";
import { clipImageFeatures, clipVision } from "../models/clip/vision.ts";
import { parseDinoConfig, type DinoConfig } from "../models/dino/config.ts";
import { dino } from "../models/dino/dino.ts";
import type { Scope } from "../nn/scope.ts";
import { ModelError } from "../system/errors.ts";
import type { Int32Tensor } from "../tensor/tensor.ts";
import { loadBertTokenizer } from "../text/bert.ts";
import { loadClipTokenizer } from "../text/clip.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { openPart, parametersOf, type Held, type Part } from "./part.ts";
import type { OpenOptions } from "./part.ts";
import { checkTokenizer } from "./tokenizer-check.ts";
import { readConfig } from "./weights.ts";

/** A transformers folder with a picture encoder. */
export interface ImageEncoderPart<Config> extends Part<Config> {
  readonly processor: ImageProcessor;
  /** Of the pictures that the processor gives. */
  readonly side: Size;
  /** Pictures [B, 3, H, W] as the processor gives them -> features [B, D], not of unit length. */
  imageFeatures(scope: Scope, pixels: Value): Value;
}

/** Tokenized texts. */
export interface TextInputs {
  /** int32 [B, L] */
  readonly ids: Value;
  /** 1 for tokens and 0 for padding, float32 [B, L]. */
  readonly mask: Value;
  /** Where the texts end, as rows of [B · L], int32 [B]. */
  readonly end: Value;
}

/** One with a text encoder into the same space. */
export interface ImageTextEncoderPart<Config> extends ImageEncoderPart<Config> {
  readonly tokenizer: Tokenizer;
  /** Texts -> features [B, D], not of unit length. */
  textFeatures(scope: Scope, text: TextInputs): Value;
  /** {@link TextInputs.end} of token ids [B, L], for encoders that read it. */
  endRows?(ids: Int32Tensor): Int32Tensor;
}

/**
 * Opens an ALIGN folder such as kakaobrain/align-base: all configuration is read, the weights' headers are checked.
 * @throws ModelError on what is broken, missing, misshapen, contradictory or not supported
 */
export async function openAlign(folder: string, options: OpenOptions = {}): Promise<ImageTextEncoderPart<AlignConfig>> {
  const config = parseAlignConfig(await readConfig(folder), join(folder, "config.json"));
  const processor = await loadImageProcessor(folder, "align");
  const side = sideOf(folder, processor);
  const tokenizer = await loadBertTokenizer(folder);
  checkTokenizer(folder, "text_config", tokenizer, config.text);
  const imageFeatures = (scope: Scope, pixels: Value) => alignImageFeatures(scope, config.vision, pixels);
  const textFeatures = (scope: Scope, { ids, mask }: TextInputs) => alignTextFeatures(scope, config, ids, mask);
  const part = await openPart(
    folder,
    config,
    parametersFor([imageFeatures, [3, side.height, side.width]], textFeatures),
    {
      ...options,
      stem: "model",
      ignore: [/^temperature$/, /^text_model\.pooler\./, /\.position_ids$/],
      prefixes: [],
    },
  );
  return { ...part, processor, side, tokenizer, imageFeatures, textFeatures };
}

/** Opens a CLIP folder such as openai/clip-vit-base-patch16. Errors as with {@link openAlign}. */
export async function openClip(folder: string, options: OpenOptions = {}): Promise<ImageTextEncoderPart<ClipConfig>> {
  const config = parseClipConfig(await readConfig(folder), join(folder, "config.json"));
  const { text, vision, projectionDim } = config;
  const processor = await loadImageProcessor(folder, "clip");
  const side = sideOf(folder, processor, vision.imageSize);
  const tokenizer = await loadClipTokenizer(folder);
  checkTokenizer(folder, "text_config", tokenizer, text);
  const imageFeatures = clipPictures(config);
  const textFeatures = (scope: Scope, { ids, end }: TextInputs) =>
    clipTextFeatures(scope, clipPooled(clipText(scope.at("text_model"), text, ids).last, end), projectionDim);
  const pictures = [imageFeatures, [vision.channels, vision.imageSize, vision.imageSize]] as const;
  const part = await openPart(folder, config, parametersFor(pictures, textFeatures), {
    ...options,
    stem: "model",
    ignore: [/^logit_scale$/, /\.position_ids$/],
    prefixes: [],
  });
  const endRows = (ids: Int32Tensor) => clipEosRows(ids, text);
  return { ...part, processor, side, tokenizer, imageFeatures, textFeatures, endRows };
}

/** Opens the half of a CLIP folder that reads pictures; it needs no tokenizer, and the other half is not read. Errors as with {@link openAlign}. */
export async function openClipVision(folder: string, options: OpenOptions = {}): Promise<ImageEncoderPart<ClipConfig>> {
  const config = parseClipConfig(await readConfig(folder), join(folder, "config.json"));
  const { vision } = config;
  const processor = await loadImageProcessor(folder, "clip");
  const side = sideOf(folder, processor, vision.imageSize);
  const imageFeatures = clipPictures(config);
  const pictures = [imageFeatures, [vision.channels, vision.imageSize, vision.imageSize]] as const;
  const part = await openPart(folder, config, parametersFor(pictures), {
    ...options,
    stem: "model",
    ignore: [/^logit_scale$/, /\.position_ids$/, /^text_model\./, /^text_projection\./],
    prefixes: [],
  });
  return { ...part, processor, side, imageFeatures };
}

/** What of a CLIP makes its features of pictures. */
function clipPictures({ vision, projectionDim }: ClipConfig): ImageEncoderPart<unknown>["imageFeatures"] {
  return (scope, pixels) =>
    clipImageFeatures(scope, clipVision(scope.at("vision_model"), vision, pixels), projectionDim);
}

/** Opens a ViT folder such as facebook/dino-vits16. Errors as with {@link openAlign}. */
export async function openDino(folder: string, options: OpenOptions = {}): Promise<ImageEncoderPart<DinoConfig>> {
  const config = parseDinoConfig(await readConfig(folder), join(folder, "config.json"));
  const processor = await loadImageProcessor(folder, "dino");
  const side = sideOf(folder, processor, config.imageSize);
  const imageFeatures = (scope: Scope, pixels: Value) => dino(scope, config, pixels);
  const pictures = [imageFeatures, [config.channels, config.imageSize, config.imageSize]] as const;
  const part = await openPart(folder, config, parametersFor(pictures), {
    ...options,
    stem: "model",
    ignore: [/^(vit\.)?pooler\./, /^classifier\./],
    prefixes: ["vit."],
  });
  return { ...part, processor, side, imageFeatures };
}

function parametersFor(
  [imageFeatures, shape]: readonly [ImageEncoderPart<unknown>["imageFeatures"], readonly number[]],
  textFeatures?: ImageTextEncoderPart<unknown>["textFeatures"],
) {
  return (held: Held) =>
    parametersOf((scope) => {
      const { graph } = scope;
      imageFeatures(scope, graph.input("pixels", [1, ...shape]));
      textFeatures?.(scope, {
        ids: graph.input("ids", [1, 1], "int32"),
        mask: graph.input("mask", [1, 1]),
        end: graph.input("end", [1], "int32"),
      });
    }, held);
}

/** @throws ModelError when pictures would differ in size, or not have the size that the model takes */
function sideOf(folder: string, { crop, resize }: ImageProcessor, imageSize?: number): Size {
  const size = crop ?? resize?.size;
  const where = `${folder}/preprocessor_config.json`;
  if (size === undefined || "shortestEdge" in size)
    throw new ModelError(`${where}: expected a crop, or a resize to height and width: pictures would differ in size`);
  if (imageSize !== undefined && (size.height !== imageSize || size.width !== imageSize))
    throw new ModelError(
      `${where} makes pictures of ${size.height} x ${size.width} but the model's image_size is ${imageSize}`,
    );
  return size;
}
