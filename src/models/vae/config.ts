import { z } from "zod";
import { ModelError } from "../../system/errors.ts";
import { checkLengths, count, depth, factor, levels, parseConfig, type Supported } from "../common/config.ts";

/** What an AutoencoderKL is built from. */
export interface VaeConfig {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly latentChannels: number;
  /** Channels of each level, from the picture's size down; every level but the last halves height and width. */
  readonly blockOutChannels: readonly number[];
  readonly layersPerBlock: number;
  readonly normGroups: number;
  /** Latents times this have about unit variance: what the U-Net works on. */
  readonly scalingFactor: number;
  readonly useQuantConv: boolean;
  readonly usePostQuantConv: boolean;
  readonly midBlockAttention: boolean;
}

/** The keys that are read, with the defaults of diffusers' AutoencoderKL. */
const schema = z.object({
  in_channels: count.default(3),
  out_channels: count.default(3),
  latent_channels: count.default(4),
  down_block_types: levels(z.literal("DownEncoderBlock2D")).default(["DownEncoderBlock2D"]),
  up_block_types: levels(z.literal("UpDecoderBlock2D")).default(["UpDecoderBlock2D"]),
  block_out_channels: levels(count).default([64]),
  layers_per_block: depth.default(1),
  norm_num_groups: count.default(32),
  scaling_factor: factor.default(0.18215),
  use_quant_conv: z.boolean().default(true),
  use_post_quant_conv: z.boolean().default(true),
  mid_block_add_attention: z.boolean().default(true),
});

const SUPPORTED: Supported = {
  _class_name: ["AutoencoderKL"],
  act_fn: ["silu", "swish"],
  shift_factor: [null, 0],
  latents_mean: [null],
  latents_std: [null],
};

/**
 * Reads a `vae/config.json`.
 * @param where the file's name, for messages
 * @throws ModelError naming the key, what was expected and what came
 */
export function parseVaeConfig(json: unknown, where: string): VaeConfig {
  const c = parseConfig(schema, json, where, SUPPORTED);
  checkLengths(
    {
      block_out_channels: c.block_out_channels,
      down_block_types: c.down_block_types,
      up_block_types: c.up_block_types,
    },
    where,
  );
  for (const channels of c.block_out_channels)
    if (channels % c.norm_num_groups !== 0)
      throw new ModelError(
        `${where}: block_out_channels ${channels} is no multiple of norm_num_groups ${c.norm_num_groups}`,
      );
  return {
    inChannels: c.in_channels,
    outChannels: c.out_channels,
    latentChannels: c.latent_channels,
    blockOutChannels: c.block_out_channels,
    layersPerBlock: c.layers_per_block,
    normGroups: c.norm_num_groups,
    scalingFactor: c.scaling_factor,
    useQuantConv: c.use_quant_conv,
    usePostQuantConv: c.use_post_quant_conv,
    midBlockAttention: c.mid_block_add_attention,
  };
}

/** How many pixels a latent is wide and high. */
export function pixelsPerLatent({ blockOutChannels }: VaeConfig): number {
  return 2 ** (blockOutChannels.length - 1);
}
