import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { correctOutdatedConfig, parseSchedulerConfig, type SchedulerConfig } from "../diffusion/config.ts";
import { textGraph, type TextModel } from "../diffusion/text-encoding.ts";
import { Graph } from "../graph/graph.ts";
import { parseClipTextConfig, type ClipTextConfig } from "../models/clip/config.ts";
import { parseUnetConfig, type UnetConfig } from "../models/unet/config.ts";
import { unet } from "../models/unet/unet.ts";
import { parseVaeConfig, pixelsPerLatent, type VaeConfig } from "../models/vae/config.ts";
import { decodeVae, encodeVae } from "../models/vae/vae.ts";
import { withLora, type LoraConfig } from "../nn/lora.ts";
import { rootScope } from "../nn/scope.ts";
import { ModelError } from "../tensor/errors.ts";
import { exists, reasonOf } from "../tensor/files.ts";
import { loadClipTokenizer } from "../text/clip.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { declaredOn, openPart, parametersOf, type Part } from "./part.ts";
import type { Expected } from "./parameters.ts";
import { checkConsistency } from "./stable-diffusion-checks.ts";
import { readModelIndex, type ModelIndex } from "./model-index.ts";
import { readConfig } from "./weights.ts";

/** A text encoder with the tokenizer that feeds it. */
export interface TextEncoderPart extends Part<ClipTextConfig>, TextModel {
  readonly config: ClipTextConfig;
  readonly tokenizer: Tokenizer;
}

/** A diffusers folder: all of its configuration, and its weights on demand. */
export interface StableDiffusion {
  readonly folder: string;
  readonly family: ModelIndex["family"];
  readonly unet: Part<UnetConfig>;
  readonly vae: Part<VaeConfig>;
  /** One, or SDXL's two. */
  readonly textEncoders: readonly TextEncoderPart[];
  /** As the pipeline uses it: outdated settings are corrected. */
  readonly scheduler: SchedulerConfig;
  /** Whether guidance without a negative prompt steers away from zeros instead of the empty prompt. */
  readonly zerosWithoutNegative: boolean;
  /** The side in pixels of the pictures that the model was trained on. */
  readonly resolution: number;
}

export interface OpenOptions {
  /** Weights of this variant, such as `fp16`, and no others. By default the plain files, or a variant where there is nothing else. */
  readonly variant?: string | undefined;
  /** Told, in a line each, about tensors that nothing needs. */
  readonly warn?: (line: string) => void;
}

/**
 * Opens a folder that diffusers' StableDiffusionPipeline or StableDiffusionXLPipeline saved.
 *
 * Reads every configuration and the headers of all weights, so that a damaged or contradictory folder is known before anything long
 * begins; the weights themselves are read part by part.
 *
 * @throws ModelError on another kind of pipeline, on options that are not supported, on missing or misshapen tensors, and on parts
 * that do not fit each other
 * @example
 * const model = await openStableDiffusion("stable-diffusion-v1-5");
 * const unetWeights = await model.unet.load();
 */
export async function openStableDiffusion(folder: string, options: OpenOptions = {}): Promise<StableDiffusion> {
  const index = await readModelIndex(folder);
  const at = (part: string) => join(folder, part);
  const config = async <Config>(part: string, parse: (json: unknown, where: string) => Config): Promise<Config> =>
    parse(await readConfig(at(part)), join(at(part), "config.json"));

  const unetConfig = await config("unet", parseUnetConfig);
  const vaeConfig = await config("vae", parseVaeConfig);
  const texts: (TextModel & { readonly name: string; readonly tokenizer: Tokenizer })[] = [];
  for (const { name, tokenizer, projected } of index.textEncoders)
    texts.push({
      name,
      projected,
      layer: index.family === "sdxl" ? "penultimate" : "last",
      config: await config(name, parseClipTextConfig),
      tokenizer: await loadClipTokenizer(at(tokenizer)),
    });
  const scheduler = await readScheduler(folder, index);
  checkConsistency(folder, { family: index.family, unet: unetConfig, vae: vaeConfig, texts });

  const diffusers = { ...options, stem: "diffusion_pytorch_model" } as const;
  const textEncoders: TextEncoderPart[] = [];
  for (const { name, ...text } of texts) {
    const expected = textParameters(text, text.tokenizer.length);
    const part = await openPart(at(name), text.config, expected, { ...options, stem: "model" });
    textEncoders.push({ ...text, ...part });
  }
  return {
    folder,
    family: index.family,
    unet: await openPart(at("unet"), unetConfig, declaredOn(unetGraph(unetConfig)), diffusers),
    vae: await openPart(at("vae"), vaeConfig, vaeParameters(vaeConfig), diffusers),
    textEncoders,
    scheduler,
    zerosWithoutNegative: index.zerosWithoutNegative,
    resolution: unetConfig.sampleSize * pixelsPerLatent(vaeConfig),
  };
}

async function readScheduler(folder: string, { family, schedulerClass }: ModelIndex): Promise<SchedulerConfig> {
  const subfolder = join(folder, "scheduler");
  const names = ["scheduler_config.json", "config.json"].map((name) => join(subfolder, name));
  // folders of 2022 call it config.json
  const path = (await exists(names[0])) ? names[0] : names[1];
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw new ModelError(`${names[0]}: ${reasonOf(error)}`, { cause: error });
  });
  const config = parseSchedulerConfig(text, path, schedulerClass);
  return family === "sd" ? correctOutdatedConfig(config) : config;
}

/** A U-Net's graph on the smallest inputs that it takes, for its parameters: they are the same whatever the sizes. */
export function unetGraph(config: UnetConfig, lora?: LoraConfig): Graph {
  const graph = new Graph();
  const side = 2 ** (config.blockOutChannels.length - 1);
  const { addition } = config;
  unet(lora === undefined ? rootScope(graph) : withLora(rootScope(graph), lora), config, {
    sample: graph.input("sample", [1, config.inChannels, side, side]),
    timestep: graph.input("timestep", [1]),
    text: graph.input("text", [1, 1, config.crossAttentionDim]),
    ...(addition && {
      added: {
        pooled: graph.input("pooled", [1, addition.inputDim - 6 * addition.timeEmbedDim]),
        timeIds: graph.input("timeIds", [1, 6]),
      },
    }),
  });
  return graph;
}

function vaeParameters(config: VaeConfig): Expected[] {
  const side = pixelsPerLatent(config);
  return parametersOf((scope) => {
    encodeVae(scope, config, scope.graph.input("pixels", [1, config.inChannels, side, side]));
    decodeVae(scope, config, scope.graph.input("latents", [1, config.latentChannels, 1, 1]));
  });
}

function textParameters(model: TextModel, length: number): Expected[] {
  return declaredOn(textGraph(model, length)["states"].graph);
}
