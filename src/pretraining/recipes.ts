import type { RateSchedule } from "./rate.ts";

/** The embedded models: their configurations, as diffusers and transformers write them, and how long each trains. */

export const VAE_CONFIG = {
  _class_name: "AutoencoderKL",
  in_channels: 3,
  out_channels: 3,
  latent_channels: 8,
  down_block_types: ["DownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D"],
  up_block_types: ["UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D"],
  block_out_channels: [32, 64, 64],
  layers_per_block: 1,
  norm_num_groups: 16,
  mid_block_add_attention: false,
  act_fn: "silu",
  sample_size: 64,
} as const;

export const UNET_CONFIG = {
  _class_name: "UNet2DConditionModel",
  sample_size: 16,
  in_channels: 8,
  out_channels: 8,
  block_out_channels: [32, 64, 128],
  down_block_types: ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
  mid_block_type: "UNetMidBlock2DCrossAttn",
  up_block_types: ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
  layers_per_block: 1,
  attention_head_dim: 4,
  cross_attention_dim: 128,
  norm_num_groups: 16,
  norm_eps: 1e-5,
  use_linear_projection: true,
  act_fn: "silu",
} as const;

/** Tokens of a text, start and end among them. */
export const TEXT_LENGTH = 32;

export const TEXT_CONFIG = {
  architectures: ["CLIPTextModel"],
  model_type: "clip_text_model",
  hidden_size: 128,
  intermediate_size: 512,
  num_hidden_layers: 3,
  num_attention_heads: 4,
  hidden_act: "quick_gelu",
  max_position_embeddings: TEXT_LENGTH,
  projection_dim: 128,
  layer_norm_eps: 1e-5,
} as const;

export const SCHEDULER_CONFIG = {
  _class_name: "DDIMScheduler",
  num_train_timesteps: 1000,
  beta_start: 0.00085,
  beta_end: 0.012,
  beta_schedule: "scaled_linear",
  prediction_type: "v_prediction",
  clip_sample: false,
  set_alpha_to_one: false,
  steps_offset: 1,
} as const;

/** How a model trains. */
export interface Recipe {
  readonly pictures: number;
  readonly batch: number;
  readonly steps: number;
  readonly rate: RateSchedule;
}

/** How the autoencoder trains: on which part of a picture, and what counts how much beside the mean absolute difference. */
export interface AutoencoderRecipe extends Recipe {
  /** Pixels of the sides of the squares that are cut from pictures. */
  readonly crop: number;
  readonly klWeight: number;
  /** Of squared differences. */
  readonly squareWeight: number;
  /** Of neighbouring pixels' differences. */
  readonly gradientWeight: number;
}

/** First crops of the pictures, for as many different ones a batch as time allows. */
export const VAE_RECIPE = {
  pictures: 40_960,
  batch: 12,
  steps: 16_000,
  rate: { peak: 1e-3, warmup: 200, decay: 0.4 },
  crop: 32,
  klWeight: 1e-6,
  squareWeight: 1,
  gradientWeight: 0.5,
} as const satisfies AutoencoderRecipe;

/**
 * Then whole pictures, as it will meet them: group norms see all of a picture, and borders are where they are. Squared differences,
 * which PSNR is made of, count as much as absolute ones.
 */
export const REFINE_RECIPE = {
  pictures: 65_536,
  batch: 4,
  steps: 16_000,
  rate: { peak: 5e-4, warmup: 200, decay: 0.7 },
  crop: 64,
  klWeight: 1e-6,
  squareWeight: 10,
  gradientWeight: 0.5,
} as const satisfies AutoencoderRecipe;

export const UNET_RECIPE = {
  pictures: 65_536,
  batch: 32,
  steps: 24_000,
  rate: { peak: 1e-3, warmup: 500, decay: 0.2 },
  /** How often the caption is left out, which guidance needs. */
  withoutCaption: 0.1,
  /** How often a meaningless identifier stands before the class word, so that one changes nothing. */
  withIdentifier: 0.2,
} as const satisfies Recipe & Record<string, unknown>;
