import { join } from "node:path";
import type { ClipTextConfig } from "../../models/clip/config.ts";
import { ModelError } from "../../system/errors.ts";
import { exists } from "../../system/files.ts";
import { packagePath } from "../../system/package.ts";
import { say, setting } from "../../system/message.ts";
import { readText } from "../../system/regular-files.ts";
import { openSafetensors, type SafetensorsFile } from "../../tensor/safetensors.ts";
import type { BytePairVocabulary } from "../../text/clip.ts";
import { clipVocabulary } from "../../text/clip-vocabulary.ts";
import { textParameters, unetParameters, vaeParameters } from "../graphs.ts";
import { describeModelFile } from "../model-file.ts";
import { some } from "../parameters.ts";
import { partOf, type OpenedParts, type OpenOptions, type Part } from "../part.ts";
import { schedulerSettings } from "../prediction.ts";
import { readPipelineConfig, type PipelineConfig, type TextEncoderConfig } from "../pipeline-config.ts";
import { familyOf, predictionOf, recognize, UNET_PREFIX, VAE_PREFIX, type Layout, type TextPlace } from "./family.ts";
import { openClipSource } from "./text-names.ts";
import { originalUnetName } from "./unet-names.ts";
import { originalVaeName } from "./vae-names.ts";
import { partOfFile, sourcesOf, type Source } from "./view.ts";

/** A checkpoint in one file. */
export interface Original {
  /** What its scheduler's settings are besides the configuration's. */
  readonly schedulerChanges: Readonly<Record<string, unknown>>;
  readonly configFolder: string;
  readonly vocabulary: BytePairVocabulary | undefined;
  readonly config: PipelineConfig;
  readonly parts: OpenedParts;
}

/**
 * Opens a checkpoint in one file, in the layout of the original Stable Diffusion code: what A1111, ComfyUI and most downloads hold.
 *
 * Such a file holds weights alone. Its configuration and tokenizer are those of the diffusers folder beside it that is named as it is,
 * less `.safetensors` (weights in there do not count); without one, those of the Stable Diffusion whose names and shapes it has.
 *
 * @throws ModelError on other files, saying what they are; on missing and misshapen tensors
 */
export async function openOriginal(path: string, { warn, prediction }: OpenOptions): Promise<Original> {
  if (!path.endsWith(".safetensors"))
    throw new ModelError(
      `${path}: expected a .safetensors file or a diffusers folder, but it is ${await describeModelFile(path)}`,
    );
  const file = await openSafetensors(path);
  const layout = recognize(file);
  const { configFolder, vocabulary, schedulerChanges } = await findConfig(file, layout, { warn, prediction });
  const config = await readPipelineConfig(configFolder, { fallbackVocabulary: vocabulary });
  if (config.texts.length !== layout.texts.length)
    throw new ModelError(
      `${configFolder}: its pipeline has ${config.texts.length} text encoders, ${path} ${layout.texts.length}`,
    );

  const held = { where: path, tensors: file.tensors.size };
  const unetExpected = unetParameters(config.unet, held);
  const vaeExpected = vaeParameters(config.vae, held);
  const levels = config.vae.blockOutChannels.length;
  const used = new Set<string>();
  const view = (sources: ReadonlyMap<string, Source>) => {
    for (const { name } of sources.values()) used.add(name);
    return partOfFile(file, sources);
  };
  const unetView = view(
    sourcesOf(unetExpected, UNET_PREFIX, (name) => ({ name: originalUnetName(name, config.unet) })),
  );
  const vaeView = view(sourcesOf(vaeExpected, VAE_PREFIX, (name) => ({ name: originalVaeName(name, levels) })));
  const texts: Part<ClipTextConfig>[] = [];
  for (const [i, text] of config.texts.entries()) {
    const expected = textParameters(text, text.tokenizer.length, held);
    const sources = sourcesOf(expected, layout.texts[i].prefix, textSources(text, layout.texts[i], file));
    texts.push(await partOf(view(sources), text.config, expected));
  }
  const parts = {
    unet: await partOf(unetView, config.unet, unetExpected),
    vae: await partOf(vaeView, config.vae, vaeExpected),
    texts,
  };
  const surplus = [...file.tensors.keys()].filter((name) => !used.has(name) && !SURPLUS.some((p) => p.test(name)));
  if (surplus.length > 0) warn?.(`${path}: ${some(surplus, "tensor", "not used")}`);
  return { configFolder, vocabulary, schedulerChanges, config, parts };
}

async function findConfig(
  file: SafetensorsFile,
  layout: Layout,
  { warn, prediction: asked }: Pick<OpenOptions, "warn" | "prediction">,
): Promise<Pick<Original, "configFolder" | "vocabulary" | "schedulerChanges">> {
  const beside = file.path.slice(0, -".safetensors".length);
  if (await exists(join(beside, "model_index.json")))
    return { configFolder: beside, vocabulary: undefined, schedulerChanges: {} };
  const { type, guessed, contradicted } =
    asked === undefined ? await predictionOf(file, layout) : { type: asked, guessed: false };
  const family = familyOf(layout, type);
  if (guessed)
    warn?.(
      say`${file.path}: taken for a Stable Diffusion 2 that predicts ${type === "epsilon" ? "noise at 512 pixels" : "v at 768 pixels"}, by its weights; if that is wrong, say it with ${setting("prediction")} (epsilon, v or v-zsnr)`,
    );
  if (contradicted !== undefined)
    warn?.(
      say`${file.path}: taken for a model that predicts v, by its tensor v_pred, though its header says epsilon (${contradicted}); if that is wrong, say it with ${setting("prediction")}`,
    );
  const merges = await readText(packagePath("models", "original", "clip", "merges.txt"));
  // the configurations are of models on the usual schedule
  const schedulerChanges = type === "epsilon" ? {} : schedulerSettings(type);
  return {
    configFolder: packagePath("models", "original", family),
    vocabulary: clipVocabulary(merges),
    schedulerChanges,
  };
}

/** Where a text encoder's parameters lie behind its prefix. Files of 2022 leave out transformers' `text_model.`. */
function textSources(
  { projected }: TextEncoderConfig,
  { kind, prefix }: TextPlace,
  file: SafetensorsFile,
): (name: string) => Source {
  const plain = (name: string) => (projected ? name.replace(/^text_model\./, "") : name);
  if (kind === "openclip") return (name) => openClipSource(plain(name));
  const wrapped = file.tensors.has(`${prefix}text_model.final_layer_norm.weight`);
  return (name) => ({ name: wrapped ? `text_model.${plain(name)}` : plain(name) });
}

/** What checkpoints hold beside the weights: averages and tables of the training, and a last layer of SD 2's encoder that nothing reads. */
const SURPLUS: readonly RegExp[] = [
  /^model_ema\./,
  /^(betas|alphas_cumprod|alphas_cumprod_prev|sqrt_.*|log_one_minus_.*|posterior_.*|logvar|lvlb_weights|v_pred|ztsnr)$/,
  /^denoiser\.sigmas$/,
  /^first_stage_model\.loss\./,
  /^model_ema$|^global_step$|^epoch$/,
  /\.position_ids$/,
  /\.(logit_scale|attn_mask)$/,
  /^cond_stage_model\.model\.text_projection$/,
  /^cond_stage_model\.model\.transformer\.resblocks\.23\./,
  /^conditioner\.embedders\.0\.transformer\.text_projection\.weight$/,
];
