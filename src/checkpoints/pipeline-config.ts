import { join } from "node:path";
import { correctOutdatedConfig, parseSchedulerConfig, type SchedulerConfig } from "../diffusion/config.ts";
import type { TextModel } from "../diffusion/text-encoding.ts";
import { parseClipTextConfig } from "../models/clip/config.ts";
import { parseUnetConfig, type UnetConfig } from "../models/unet/config.ts";
import { parseVaeConfig, type VaeConfig } from "../models/vae/config.ts";
import { ModelError } from "../system/errors.ts";
import { exists, reasonOf } from "../system/files.ts";
import { readText } from "../system/regular-files.ts";
import { loadClipTokenizer, type ClipTokenizerOptions } from "../text/clip.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { readModelIndex, type ModelIndex } from "./model-index.ts";
import { checkConsistency } from "./stable-diffusion-checks.ts";
import { readConfig } from "./weights.ts";

/** A text encoder's configuration, and the tokenizer that feeds it. */
export interface TextEncoderConfig extends TextModel {
  /** Its folder: text_encoder or text_encoder_2. */
  readonly name: string;
  /** Its tokenizer's folder. */
  readonly tokenizerName: string;
  readonly tokenizer: Tokenizer;
}

/** All that a pipeline's folder says apart from the weights. */
export interface PipelineConfig {
  readonly index: ModelIndex;
  readonly unet: UnetConfig;
  readonly vae: VaeConfig;
  readonly texts: readonly TextEncoderConfig[];
  /** As the pipeline uses it: outdated settings are corrected. */
  readonly scheduler: SchedulerConfig;
}

/**
 * Reads every configuration of a diffusers folder, whether it holds weights or not.
 * @throws ModelError on another kind of pipeline, on options that are not supported, and on parts that do not fit each other
 */
export async function readPipelineConfig(
  folder: string,
  tokenizers: ClipTokenizerOptions = {},
): Promise<PipelineConfig> {
  const index = await readModelIndex(folder);
  const at = (part: string) => join(folder, part);
  const config = async <Config>(part: string, parse: (json: unknown, where: string) => Config): Promise<Config> =>
    parse(await readConfig(at(part)), join(at(part), "config.json"));

  const unet = await config("unet", parseUnetConfig);
  const vae = await config("vae", parseVaeConfig);
  const texts: TextEncoderConfig[] = [];
  for (const { name, tokenizer, projected } of index.textEncoders)
    texts.push({
      name,
      tokenizerName: tokenizer,
      projected,
      layer: index.family === "sdxl" ? "penultimate" : "last",
      config: await config(name, parseClipTextConfig),
      tokenizer: await loadClipTokenizer(at(tokenizer), tokenizers),
    });
  const scheduler = await readScheduler(folder, index);
  checkConsistency(folder, { family: index.family, unet, vae, texts });
  return { index, unet, vae, texts, scheduler };
}

async function readScheduler(folder: string, { family, schedulerClass }: ModelIndex): Promise<SchedulerConfig> {
  const path = await schedulerFile(folder);
  const text = await readText(path).catch((error: unknown) => {
    throw new ModelError(`${path}: ${reasonOf(error)}`, { cause: error });
  });
  const config = parseSchedulerConfig(text, path, schedulerClass);
  return family === "sd" ? correctOutdatedConfig(config) : config;
}

/** Where a pipeline's folder has its scheduler's settings: folders of 2022 call the file config.json. */
export async function schedulerFile(folder: string): Promise<string> {
  const [today, old] = ["scheduler_config.json", "config.json"].map((name) => join(folder, "scheduler", name));
  return !(await exists(today)) && (await exists(old)) ? old : today;
}
