import { Graph, type Value } from "../graph/graph.ts";
import { add, concat } from "../graph/ops/index.ts";
import type { UnetConfig } from "../models/unet/config.ts";
import { unet } from "../models/unet/unet.ts";
import { rootScope, type Scope } from "../nn/scope.ts";
import type { Shape, Tensor } from "../tensor/tensor.ts";
import type { Denoiser, NoisyPictures, TextCondition } from "./denoising.ts";
import type { Trainable } from "./trainable.ts";
import { putTexts, startInputsOf, textDisplacement, type TrainedTexts } from "./trained-texts.ts";

/** What a method states its losses with: the inputs of a step, and the model as it trains and as it began. */
export interface ObjectiveScope {
  /** Pictures a step. */
  readonly batch: number;
  /** A number for each picture, [B], that a step is fed under this name. */
  numbers(name: string): Value;
  /** A map over each picture's latents, [B, 1, H, W], that a step is fed under this name. */
  map(name: string): Value;
  /** Pictures, [B, C, H, W], fed as NAME.noisy and NAME.target. */
  pictures(name: string): NoisyPictures;
  /** The photos, fed so as "ref"; where photos have buckets in the shape of one, with SDXL's sizes of their own, [B, 6], as ref.sizes. */
  photos(): NoisyPictures;
  /** What the run's image encoder makes of the photos, as wide as a text's states, [B, D], fed as ref.features. */
  photoFeatures(): Value;
  /**
   * Texts, [B, L, D], fed as NAME, and with SDXL their pooled features, [B, P], as NAME.pooled; where text encoders train, fed as
   * `putTexts` has them. `textFeeds` feeds either.
   */
  text(name: string): TextCondition;
  /** How much each latent of the photos counts, [B, 1, h, w], fed as ref.mask; undefined where all do alike. */
  readonly photoMask: Value | undefined;
  /** How much each photo's error counts, [B], fed as ref.weight; undefined where all do alike. */
  readonly photoWeight: Value | undefined;
  /** The model that trains. */
  readonly policy: Denoiser;
  /** The starting model, frozen. */
  readonly start: Denoiser;
  /** How far the trained weights are from where they began: the sum of ‖θ - θ₀‖² over what they change in the model. */
  displacement(): Value;
}

/** What a method's loss is made of, by name: every value, a number or one for each picture, is a curve of the run. */
export type Losses = Readonly<Record<string, Value>> & { readonly loss: Value };

/** A method's objective, on a graph of its own. */
export type Objective = (scope: ObjectiveScope) => Losses;

export type LatentSize = readonly [height: number, width: number];

/** What graphs of latents of a size are called. */
export function latentName([height, width]: LatentSize): string {
  return `${height} x ${width}`;
}

/** {@link latentName} of latents, [B, C, height, width]. */
export function latentNameOf({ shape }: Tensor): string {
  const [height, width] = shape.slice(2);
  return latentName([height, width]);
}

export interface ObjectiveShapes {
  /** Pictures a step. */
  readonly batch: number;
  /** Height and width of the latents. */
  readonly latentSize: LatentSize;
  /** Of the photos' latents, where these have buckets. Default: as all pictures'. */
  readonly photoSize?: LatentSize | undefined;
  /** Tokens of a text embedding. */
  readonly textLength: number;
  /** The text encoders, where they train. By default texts are fed as their embeddings. */
  readonly texts?: TrainedTexts | undefined;
  /** Whether the photos have masks, and weights. Default: neither. */
  readonly photo?: { readonly mask: boolean; readonly weight: boolean } | undefined;
}

/** SDXL's size conditions of a picture. */
const SIZES = 6;

/** Features of a pooled text: what SDXL's added conditions are beside the sizes' embeddings. */
export function pooledFeatures({ inputDim, timeEmbedDim }: NonNullable<UnetConfig["addition"]>): number {
  return inputDim - SIZES * timeEmbedDim;
}

/** Puts an objective on a new graph. */
export function buildObjective(
  objective: Objective,
  config: UnetConfig,
  trainable: Trainable,
  { batch, latentSize, photoSize, textLength, texts, photo }: ObjectiveShapes,
): Losses {
  const graph = new Graph();
  const base = rootScope(graph);
  const { addition } = config;
  const sizes = () => graph.input("sizes", [batch, SIZES]);
  const denoiser =
    (scope: Scope): Denoiser =>
    (sample, timestep, { states: text, pooled }, own) => {
      if (pooled === undefined) return unet(scope, config, { sample, timestep, text });
      const timeIds = own ?? concat(Array.from({ length: sample.shape[0] / batch }, sizes), 0);
      return unet(scope, config, { sample, timestep, text, added: { pooled, timeIds } });
    };
  const pictures = (name: string, size: LatentSize): NoisyPictures => {
    const latents: Shape = [batch, config.inChannels, ...size];
    return { noisy: graph.input(`${name}.noisy`, latents), target: graph.input(`${name}.target`, latents) };
  };
  const embedded = (states: string, pooled: string): TextCondition => ({
    states: graph.input(states, [batch, textLength, config.crossAttentionDim]),
    pooled: addition && graph.input(pooled, [batch, pooledFeatures(addition)]),
  });
  const live = (trained: TrainedTexts, name: string): TextCondition => {
    const { states, pooled } = startInputsOf(name);
    const text = putTexts(trained, base, name, { batch, textLength });
    return trained.lora === undefined ? text : { ...text, start: () => embedded(states, pooled) };
  };
  const start = denoiser(trainable.start(base));
  return objective({
    batch,
    numbers: (name) => graph.input(name, [batch]),
    map: (name) => graph.input(name, [batch, 1, ...latentSize]),
    pictures: (name) => pictures(name, latentSize),
    photos: () => ({
      ...pictures("ref", photoSize ?? latentSize),
      sizes: addition && photoSize && graph.input("ref.sizes", [batch, SIZES]),
    }),
    photoFeatures: () => graph.input("ref.features", [batch, config.crossAttentionDim]),
    text: (name) => (texts === undefined ? embedded(name, `${name}.pooled`) : live(texts, name)),
    photoMask: photo?.mask === true ? graph.input("ref.mask", [batch, 1, ...(photoSize ?? latentSize)]) : undefined,
    photoWeight: photo?.weight === true ? graph.input("ref.weight", [batch]) : undefined,
    policy: denoiser(trainable.policy(base)),
    start: (noisy, timestep, text, sizes) => start(noisy, timestep, text.start?.() ?? text, sizes),
    displacement() {
      const ofUnet = trainable.displacement(base);
      return texts === undefined ? ofUnet : add(ofUnet, textDisplacement(texts, base));
    },
  });
}
