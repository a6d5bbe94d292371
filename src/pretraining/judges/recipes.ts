import type { Recipe } from "../recipes.ts";

/** The judges: their configurations, as transformers writes them, and how each trains. */

const BERT_LENGTH = 64;

/** The reward's judge: an EfficientNet and a BERT. `vocab_size` is added when the vocabulary is known. */
export const ALIGN_CONFIG = {
  architectures: ["AlignModel"],
  model_type: "align",
  projection_dim: 192,
  text_config: {
    model_type: "align_text_model",
    hidden_size: 128,
    intermediate_size: 384,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    hidden_act: "relu",
    max_position_embeddings: BERT_LENGTH,
    type_vocab_size: 1,
    pad_token_id: 0,
    layer_norm_eps: 1e-12,
  },
  vision_config: {
    model_type: "align_vision_model",
    image_size: 64,
    width_coefficient: 0.5,
    depth_coefficient: 0.5, // transformers refuses 1, which is no float in JSON
    depth_divisor: 8,
    in_channels: [32, 48, 96, 192],
    out_channels: [48, 96, 192, 384],
    kernel_sizes: [3, 3, 3, 3],
    strides: [2, 2, 2, 1],
    depthwise_padding: [],
    num_block_repeats: [4, 4, 6, 2],
    expand_ratios: [2, 4, 4, 4],
    squeeze_expansion_ratio: 0.25,
    hidden_act: "relu",
    hidden_dim: 192,
    pooling_type: "mean",
    batch_norm_eps: 1e-3,
  },
} as const;

/** A metric's judge: another architecture. */
export const CLIP_CONFIG = {
  architectures: ["CLIPModel"],
  model_type: "clip",
  projection_dim: 96,
  text_config: {
    model_type: "clip_text_model",
    hidden_size: 96,
    intermediate_size: 288,
    num_hidden_layers: 2,
    num_attention_heads: 3,
    hidden_act: "quick_gelu",
    max_position_embeddings: 32,
    projection_dim: 96,
    layer_norm_eps: 1e-5,
  },
  vision_config: {
    model_type: "clip_vision_model",
    hidden_size: 96,
    intermediate_size: 288,
    num_hidden_layers: 3,
    num_attention_heads: 3,
    hidden_act: "quick_gelu",
    image_size: 64,
    patch_size: 8,
    projection_dim: 96,
    layer_norm_eps: 1e-5,
  },
} as const;

/** A metric's judge that has seen no text. */
export const DINO_CONFIG = {
  architectures: ["ViTModel"],
  model_type: "vit",
  hidden_size: 96,
  intermediate_size: 288,
  num_hidden_layers: 3,
  num_attention_heads: 3,
  hidden_act: "gelu",
  image_size: 64,
  patch_size: 8,
  num_channels: 3,
  qkv_bias: true,
  layer_norm_eps: 1e-12,
} as const;

/** Tokens of a caption that training reads; longer than the longest. */
export const CAPTION_LENGTH = 24;

export const ALIGN_RECIPE = {
  /** Scenes with captions of everything, beside the album's. */
  pictures: 32_768,
  /** Instances of the album, and pictures of each. */
  instances: 8_184,
  views: 4,
  /** Half of it pairs of views. */
  batch: 128,
  /** That the pairs of one step come from. */
  classes: 4,
  steps: 2_400,
  rate: { peak: 2e-3, warmup: 100, decay: 0.7 },
  emaDecay: 0.995,
  instanceTemperature: 0.1,
  instanceWeight: 1,
} as const satisfies Recipe & Record<string, unknown>;

export const CLIP_RECIPE = {
  pictures: 49_152,
  batch: 128,
  steps: 6_000,
  rate: { peak: 1.5e-3, warmup: 150, decay: 0.7 },
  emaDecay: 0.995,
} as const satisfies Recipe & Record<string, unknown>;

export const DINO_RECIPE = {
  instances: 8_184,
  views: 4,
  pictures: 8_184 * 4,
  batch: 128,
  classes: 2,
  steps: 1_400,
  rate: { peak: 1.5e-3, warmup: 150, decay: 0.7 },
  emaDecay: 0.995,
  instanceTemperature: 0.1,
} as const satisfies Recipe & Record<string, unknown>;
