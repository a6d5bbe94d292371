import { z } from "zod";
import { ModelError } from "../../system/errors.ts";
import {
  count,
  depth,
  epsilon,
  levels as perLevelOf,
  parseConfig,
  squareOf,
  type Supported,
} from "../common/config.ts";

/** What a UNet2DConditionModel is built from, with every list as long as the U-Net has levels. */
export interface UnetConfig {
  /** Height and width of the latents that the model was made for. */
  readonly sampleSize: number;
  readonly inChannels: number;
  readonly outChannels: number;
  readonly blockOutChannels: readonly number[];
  /** Whether level i of the way down has transformers. */
  readonly downAttention: readonly boolean[];
  /** Whether block i of the way up has transformers. */
  readonly upAttention: readonly boolean[];
  readonly layersPerBlock: readonly number[];
  readonly transformerLayers: readonly number[];
  /** Attention heads per level. Published configs call this `attention_head_dim`, by a mistake that diffusers keeps. */
  readonly heads: readonly number[];
  readonly crossAttentionDim: number;
  readonly useLinearProjection: boolean;
  readonly normGroups: number;
  readonly normEpsilon: number;
  readonly downsamplePadding: number;
  readonly flipSinToCos: boolean;
  readonly frequencyShift: number;
  /** SDXL's pooled text and size conditions. */
  readonly addition: { readonly timeEmbedDim: number; readonly inputDim: number } | undefined;
}

const perLevel = <Item extends z.ZodType>(item: Item) =>
  z.union([item, perLevelOf(item)], "expected a whole number of 1 or more, or a list of one for each level");

/**
 * Height or width of latents. Twice what any published model has, for nothing in the weights confirms it: SDXL's 128 are pictures of
 * 1024 pixels, and attention's work grows with its fourth power.
 */
const MOST_LATENTS = 256;

/** The keys that are read, with the defaults of diffusers' UNet2DConditionModel. */
const schema = z.object({
  sample_size: squareOf(MOST_LATENTS).nullish(),
  in_channels: count.default(4),
  out_channels: count.default(4),
  flip_sin_to_cos: z.boolean().default(true),
  freq_shift: z.number().min(0).max(1).default(0),
  down_block_types: perLevelOf(z.string()).default([
    "CrossAttnDownBlock2D",
    "CrossAttnDownBlock2D",
    "CrossAttnDownBlock2D",
    "DownBlock2D",
  ]),
  mid_block_type: z.string().nullable().default("UNetMidBlock2DCrossAttn"),
  up_block_types: perLevelOf(z.string()).default([
    "UpBlock2D",
    "CrossAttnUpBlock2D",
    "CrossAttnUpBlock2D",
    "CrossAttnUpBlock2D",
  ]),
  block_out_channels: perLevelOf(count).default([320, 640, 1280, 1280]),
  layers_per_block: perLevel(depth).default(2),
  downsample_padding: z.number().int().min(0).max(1).default(1),
  norm_num_groups: count.default(32),
  norm_eps: epsilon.default(1e-5),
  cross_attention_dim: perLevel(count).default(1280),
  transformer_layers_per_block: perLevel(depth).default(1),
  attention_head_dim: perLevel(count).default(8),
  num_attention_heads: perLevel(count).nullish(),
  use_linear_projection: z.boolean().default(false),
  addition_embed_type: z.string().nullish(),
  addition_time_embed_dim: count.nullish(),
  projection_class_embeddings_input_dim: count.nullish(),
});

/** Options that change the result and that only these values of are supported; the first is diffusers' default. */
const SUPPORTED: Supported = {
  mid_block_type: ["UNetMidBlock2DCrossAttn"],
  center_input_sample: [false],
  only_cross_attention: [false],
  mid_block_only_cross_attention: [null, false],
  mid_block_scale_factor: [1],
  dropout: [0],
  act_fn: ["silu", "swish"],
  reverse_transformer_layers_per_block: [null],
  encoder_hid_dim: [null],
  encoder_hid_dim_type: [null],
  dual_cross_attention: [false],
  class_embed_type: [null],
  num_class_embeds: [null],
  addition_embed_type: [null, "text_time"],
  resnet_time_scale_shift: ["default"],
  resnet_skip_time_act: [false],
  resnet_out_scale_factor: [1],
  time_embedding_type: ["positional"],
  time_embedding_dim: [null],
  time_embedding_act_fn: [null],
  timestep_post_act: [null],
  time_cond_proj_dim: [null],
  conv_in_kernel: [3],
  conv_out_kernel: [3],
  attention_type: ["default"],
  class_embeddings_concat: [false],
  cross_attention_norm: [null],
};

/**
 * Reads a `unet/config.json`.
 * @param where the file's name, for messages
 * @throws ModelError naming the key, what was expected and what came
 */
export function parseUnetConfig(json: unknown, where: string): UnetConfig {
  const c = parseConfig(schema, json, where, SUPPORTED);
  const levels = c.block_out_channels.length;
  const listOf = (name: string, value: number | readonly number[]): readonly number[] => {
    const list = typeof value === "number" ? new Array<number>(levels).fill(value) : value;
    if (list.length !== levels)
      throw new ModelError(`${where}: block_out_channels has ${levels} entries but ${name} ${list.length}`);
    return list;
  };
  for (const name of ["down_block_types", "up_block_types"] as const)
    if (c[name].length !== levels)
      throw new ModelError(`${where}: block_out_channels has ${levels} entries but ${name} ${c[name].length}`);
  const crossAttention = listOf("cross_attention_dim", c.cross_attention_dim);
  if (crossAttention.some((n) => n !== crossAttention[0]))
    throw new ModelError(
      `${where}: cross_attention_dim [${crossAttention.join(", ")}]: only one size for all levels is supported`,
    );
  const heads = listOf("attention_head_dim", c.num_attention_heads ?? c.attention_head_dim);
  c.block_out_channels.forEach((channels, level) => {
    if (channels % c.norm_num_groups !== 0)
      throw new ModelError(
        `${where}: block_out_channels ${channels} is no multiple of norm_num_groups ${c.norm_num_groups}`,
      );
    if (channels % heads[level] !== 0)
      throw new ModelError(
        `${where}: block_out_channels ${channels} is no multiple of ${heads[level]} attention heads`,
      );
  });
  checkFrequencies("block_out_channels", c.block_out_channels[0], c.freq_shift, where);
  return {
    sampleSize: c.sample_size ?? 64,
    inChannels: c.in_channels,
    outChannels: c.out_channels,
    blockOutChannels: c.block_out_channels,
    downAttention: attentionOf(c.down_block_types, "Down", where),
    upAttention: attentionOf(c.up_block_types, "Up", where),
    layersPerBlock: listOf("layers_per_block", c.layers_per_block),
    transformerLayers: listOf("transformer_layers_per_block", c.transformer_layers_per_block),
    heads,
    crossAttentionDim: crossAttention[0],
    useLinearProjection: c.use_linear_projection,
    normGroups: c.norm_num_groups,
    normEpsilon: c.norm_eps,
    downsamplePadding: c.downsample_padding,
    flipSinToCos: c.flip_sin_to_cos,
    frequencyShift: c.freq_shift,
    addition: c.addition_embed_type == null ? undefined : additionOf(c, where),
  };
}

function attentionOf(types: readonly string[], direction: "Down" | "Up", where: string): boolean[] {
  return types.map((type) => {
    if (type !== `CrossAttn${direction}Block2D` && type !== `${direction}Block2D`)
      throw new ModelError(
        `${where}: ${direction.toLowerCase()}_block_types ${type} is not supported, only CrossAttn${direction}Block2D and ${direction}Block2D`,
      );
    return type.startsWith("CrossAttn");
  });
}

/** @throws ModelError where the lowest of a timestep's frequencies would be divided by zero */
function checkFrequencies(name: string, features: number, shift: number, where: string): void {
  if (Math.floor(features / 2) <= shift)
    throw new ModelError(`${where}: ${name} ${features} is too little for sines and cosines at freq_shift ${shift}`);
}

function additionOf(
  c: {
    addition_time_embed_dim?: number | null;
    projection_class_embeddings_input_dim?: number | null;
    freq_shift: number;
  },
  where: string,
): UnetConfig["addition"] {
  if (c.addition_time_embed_dim == null || c.projection_class_embeddings_input_dim == null)
    throw new ModelError(
      `${where}: addition_embed_type "text_time" needs addition_time_embed_dim and projection_class_embeddings_input_dim`,
    );
  checkFrequencies("addition_time_embed_dim", c.addition_time_embed_dim, c.freq_shift, where);
  return { timeEmbedDim: c.addition_time_embed_dim, inputDim: c.projection_class_embeddings_input_dim };
}
