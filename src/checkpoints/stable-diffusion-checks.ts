import type { TextModel } from "../diffusion/text-encoding.ts";
import type { UnetConfig } from "../models/unet/config.ts";
import { pixelsPerLatent, type VaeConfig } from "../models/vae/config.ts";
import { ModelError } from "../system/errors.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { checkTokenizer } from "./tokenizer-check.ts";

interface Parts {
  readonly family: "sd" | "sdxl";
  readonly unet: UnetConfig;
  readonly vae: VaeConfig;
  readonly texts: readonly (Pick<TextModel, "config" | "projected"> & {
    readonly name: string;
    readonly tokenizer: Pick<Tokenizer, "length" | "vocabularySize">;
  })[];
}

/** Numbers in the order: sine and cosine of height, width, top, left, height, width. */
const TIME_IDS = 6;

/** On a side of the pictures that a model says it was made for: as many as `--resolution` takes. */
const MOST_PIXELS = 4096;

/**
 * Whether the parts of a folder fit each other.
 * @throws ModelError naming both places and both numbers
 */
export function checkConsistency(folder: string, { family, unet, vae, texts }: Parts): void {
  const fail = (problem: string) => new ModelError(`${folder}: ${problem}`);
  const same = (a: number, whatA: string, b: number, whatB: string): void => {
    if (a !== b) throw fail(`${whatA} is ${a} but ${whatB} ${b}`);
  };
  same(unet.inChannels, "unet in_channels", vae.latentChannels, "vae latent_channels");
  same(unet.outChannels, "unet out_channels", unet.inChannels, "unet in_channels");
  same(vae.inChannels, "vae in_channels", 3, "a picture's channels are");
  same(vae.outChannels, "vae out_channels", 3, "a picture's channels are");
  const side = unet.sampleSize * pixelsPerLatent(vae);
  if (side > MOST_PIXELS)
    throw fail(
      `unet sample_size ${unet.sampleSize} stands for pictures of ${side} x ${side} pixels (vae block_out_channels has ${vae.blockOutChannels.length} levels), expected at most ${MOST_PIXELS}`,
    );

  for (const { name, config, tokenizer } of texts) {
    checkTokenizer(folder, name, tokenizer, config);
    same(tokenizer.length, `the length of ${name}'s tokenizer`, texts[0].tokenizer.length, "that of the first");
  }
  const features = texts.reduce((sum, { config }) => sum + config.hiddenSize, 0);
  const encoders = texts.length === 1 ? "text_encoder hidden_size" : "the sum of the text encoders' hidden_size";
  same(unet.crossAttentionDim, "unet cross_attention_dim", features, encoders);

  if (family === "sdxl" && unet.addition === undefined)
    throw fail('unet addition_embed_type is null, expected "text_time" in a StableDiffusionXLPipeline');
  if (family === "sd" && unet.addition !== undefined)
    throw fail('unet addition_embed_type is "text_time", expected null in a StableDiffusionPipeline');
  if (unet.addition === undefined) return;
  const pooled = texts.reduce((sum, { config, projected }) => sum + (projected ? config.projectionDim : 0), 0);
  same(
    unet.addition.inputDim,
    "unet projection_class_embeddings_input_dim",
    TIME_IDS * unet.addition.timeEmbedDim + pooled,
    `${TIME_IDS} times addition_time_embed_dim plus text_encoder_2 projection_dim`,
  );
}
