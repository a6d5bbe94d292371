import { loadAdapted } from "../../checkpoints/adapted-unet.ts";
import { joinEmbeddings, type Embedding } from "../../checkpoints/embeddings/fit.ts";
import { readBundled, readEmbedding, readWordsOf } from "../../checkpoints/embeddings/read.ts";
import type { LoraPart } from "../../checkpoints/lora-files/keys.ts";
import { mergeUpdates } from "../../checkpoints/lora-files/merge.ts";
import { readLoraFile } from "../../checkpoints/lora-files/read.ts";
import type { LoraUpdates } from "../../checkpoints/lora-files/updates.ts";
import { loadFor, whereOf } from "../../checkpoints/part.ts";
import type { Prediction } from "../../checkpoints/prediction.ts";
import { openStableDiffusion, type StableDiffusion } from "../../checkpoints/stable-diffusion.ts";
import { openTextEncoder } from "../../checkpoints/text-encoder.ts";
import type { TextEncoder } from "../../diffusion/text-encoding.ts";
import { createGenerator, picturesAtATime, type Generator, type PictureSize } from "../../diffusion/text-to-image.ts";
import { createVaeCodec } from "../../diffusion/vae-codec.ts";
import { pixelsPerLatent } from "../../models/vae/config.ts";
import type { Device, Precision } from "../../runtime/device.ts";
import { assemble } from "../../runtime/resources.ts";
import type { Float32Tensor, Weight } from "../../tensor/tensor.ts";
import type { Source } from "../source.ts";
import { readPhoto, withPhoto, type DrawnPhoto } from "./photo.ts";
import type { Message } from "../../system/named-setting.ts";

/** A LoRA file to draw with. */
export interface WeightedLora {
  readonly path: string;
  /** How much of it: 1 is as it was trained. */
  readonly weight: number;
}

/** A textual-inversion file to draw with. */
export interface WordEmbedding {
  readonly path: string;
  /** What stands for it in prompts. Default: what the file says, else its name. */
  readonly word?: string | undefined;
}

export interface DrawingModelSettings extends Pick<Source, "model" | "adapter"> {
  /** Of the model's weights, such as "fp16"; absent: the plain files. */
  readonly variant?: string | undefined;
  /** Another VAE than the model's. */
  readonly vae?: string | undefined;
  /** Another prediction than the model says. */
  readonly prediction?: Prediction | undefined;
  /** Added to the model, in this order. Default: none. */
  readonly loras?: readonly WeightedLora[];
  /** Words that prompts may have. Default: none but those in LoRA files. */
  readonly embeddings?: readonly WordEmbedding[];
  /** What of a photo to draw with. Default: nothing. */
  readonly photo?: DrawnPhoto | undefined;
  /** The identifier that the adapter was trained with; by default rpo's own. */
  readonly token?: string | undefined;
  /** Of an adapter of several subjects: the others' words. */
  readonly otherTokens?: readonly string[] | undefined;
  readonly threads: number;
  /** Where the graphs run. Default: the CPU. */
  readonly device?: Device | undefined;
  readonly precision?: Precision | undefined;
}

/** A model with all that was trained on top of it, the U-Net's weights in memory. Nothing of it needs releasing but what it opens. */
export interface DrawingModel {
  readonly model: StableDiffusion;
  readonly embeddings: readonly Embedding[];
  openTexts(): Promise<TextEncoder>;
  /** The generator owns its VAE. */
  openGenerator(): Promise<Generator>;
}

/**
 * Opens a model to draw with.
 * @param options.check called as soon as the configuration is known, before weights are read
 * @throws UsageError, ModelError
 */
export async function openDrawingModel(
  settings: DrawingModelSettings,
  { warn, check }: { readonly warn: (line: Message) => void; readonly check?: (model: StableDiffusion) => void },
): Promise<DrawingModel> {
  const { adapter } = settings;
  const { variant, vae, prediction } = settings;
  const model = await openStableDiffusion(settings.model, { variant, vae, prediction, warn });
  check?.(model);
  const { threads, device, precision } = settings;
  const session = { threads, device, precision };
  const { photo } = settings;
  const made = photo && adapter !== undefined ? await readPhoto(photo, adapter, model, session, warn) : undefined;
  const loras: (WeightedLora & { readonly updates: LoraUpdates })[] = [];
  for (const lora of settings.loras ?? []) loras.push({ ...lora, updates: await readLoraFile(lora.path, model) });
  const embeddings = await readEmbeddings(settings, model);
  const updatesOf = (part: LoraPart) =>
    loras.map(({ updates, weight }) => [updates.get(part) ?? [], weight, session] as const);
  const { texts, ...adapted } = await loadAdapted(model, adapter, (part) => loadFor(precision, part));
  const withLoras = async (weights: ReadonlyMap<string, Float32Tensor>, part: LoraPart) => {
    let merged = weights;
    for (const how of [[texts?.get(part) ?? [], 1, session] as const, ...updatesOf(part)])
      merged = await mergeUpdates(merged, ...how);
    return merged;
  };
  let unetWeights: ReadonlyMap<string, Weight> = adapted.weights;
  for (const how of updatesOf("unet")) unetWeights = await mergeUpdates(unetWeights, ...how);
  const unet = {
    config: model.unet.config,
    ...adapted,
    weights: unetWeights,
    name: [whereOf(model.unet), adapter, ...loras.map(({ path }) => path)].filter(isGiven).join(" with "),
  };
  return {
    model,
    embeddings,
    async openTexts() {
      const encoder = await openTextEncoder(model, session, { adapt: withLoras, embeddings });
      return photo === undefined || made === undefined ? encoder : withPhoto(encoder, made, photo);
    },
    openGenerator: () =>
      assemble(async (own, release) => {
        const { config } = model.vae;
        const name = whereOf(model.vae);
        const codec = own(createVaeCodec({ config, weights: await model.vae.load(), session, name }));
        const generator = own(createGenerator({ unet, vae: codec, scheduler: model.scheduler, session }));
        return { ...generator, release };
      }),
  };
}

/** Those that were asked for, the word that was trained, and those in LoRA files. */
async function readEmbeddings(
  { loras = [], embeddings = [], adapter, token }: DrawingModelSettings,
  model: StableDiffusion,
): Promise<Embedding[]> {
  const read: Embedding[] = [];
  for (const { path } of loras) read.push(...(await readBundled(path, model)));
  if (adapter !== undefined) read.push(...(await readWordsOf(adapter, model, token)));
  for (const { path, word } of embeddings) read.push(await readEmbedding(path, model, word));
  return joinEmbeddings(read);
}

function isGiven(path: string | undefined): path is string {
  return path !== undefined;
}

/** The size of pictures: what is asked for, else what the model was trained on. */
export function pictureSize(
  { height, width }: { readonly height: number | undefined; readonly width: number | undefined },
  { resolution }: StableDiffusion,
): PictureSize {
  return { height: height ?? resolution, width: width ?? resolution };
}

const MOST_AT_A_TIME = 4;

/** Pictures of a size to draw at a time. */
export function picturesTogether(
  { height, width }: PictureSize,
  { vae }: StableDiffusion,
  device: Device = "cpu",
): number {
  const positions = (height * width) / pixelsPerLatent(vae.config) ** 2;
  return picturesAtATime(positions, device, MOST_AT_A_TIME);
}
