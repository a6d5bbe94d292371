import { z } from "zod";
import { activation, type Activation } from "../common/activation-names.ts";
import {
  checkHeads,
  checkPatches,
  colours,
  count,
  depth,
  epsilon,
  parseConfig,
  side,
  textLength,
  type Supported,
} from "../common/config.ts";

/** What the two transformers of CLIP (Radford et al., arXiv 2103.00020) have in common. */
export interface ClipTransformerConfig {
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly layers: number;
  readonly heads: number;
  readonly activation: Activation;
  readonly normEpsilon: number;
}

export interface ClipTextConfig extends ClipTransformerConfig {
  readonly vocabularySize: number;
  readonly positions: number;
  /** The token whose state stands for the whole text. */
  readonly eosTokenId: number;
  /** Features after the projection, in models that have one. */
  readonly projectionDim: number;
}

export interface ClipVisionConfig extends ClipTransformerConfig {
  readonly channels: number;
  /** Height and width of the pictures in pixels. */
  readonly imageSize: number;
  readonly patchSize: number;
}

/** Both encoders with a common space (CLIPModel). */
export interface ClipConfig {
  readonly text: ClipTextConfig;
  readonly vision: ClipVisionConfig;
  readonly projectionDim: number;
}

const transformer = {
  num_hidden_layers: depth.default(12),
  hidden_act: activation.default("quick_gelu"),
  layer_norm_eps: epsilon.default(1e-5),
};

/** Defaults as in transformers' CLIPTextConfig. */
const textSchema = z.object({
  ...transformer,
  hidden_size: count.default(512),
  intermediate_size: count.default(2048),
  num_attention_heads: count.default(8),
  vocab_size: count.default(49408),
  max_position_embeddings: textLength.default(77),
  eos_token_id: z.number().int().min(0).default(49407),
  projection_dim: count.nullable().default(512),
});

/** Defaults as in transformers' CLIPVisionConfig. */
const visionSchema = z.object({
  ...transformer,
  hidden_size: count.default(768),
  intermediate_size: count.default(3072),
  num_attention_heads: count.default(12),
  num_channels: colours.default(3),
  image_size: side.default(224),
  patch_size: side.default(32),
});

/** A model of its own is named by its config; a part of a whole need not be. */
const TEXT_SUPPORTED: Supported = { model_type: ["clip_text_model", "clip"], use_attention_mask: [false, null] };
const VISION_SUPPORTED: Supported = { model_type: ["clip_vision_model", "clip"] };

/**
 * Reads the config of a CLIPTextModel or CLIPTextModelWithProjection, such as `text_encoder/config.json`.
 * @param where the file's name, for messages
 * @throws ModelError naming the key, what was expected and what came
 */
export function parseClipTextConfig(json: unknown, where: string): ClipTextConfig {
  const c = parseConfig(textSchema, json, where, TEXT_SUPPORTED);
  return {
    ...transformerOf(c, where),
    vocabularySize: c.vocab_size,
    positions: c.max_position_embeddings,
    eosTokenId: c.eos_token_id,
    projectionDim: c.projection_dim ?? 512,
  };
}

export function parseClipVisionConfig(json: unknown, where: string): ClipVisionConfig {
  const c = parseConfig(visionSchema, json, where, VISION_SUPPORTED);
  checkPatches(c, where);
  return {
    ...transformerOf(c, where),
    channels: c.num_channels,
    imageSize: c.image_size,
    patchSize: c.patch_size,
  };
}

/** Configs of 2022 repeat the parts as `text_config_dict` and `vision_config_dict`, which then hold instead. */
const modelSchema = z.object({
  projection_dim: count.default(512),
  text_config: z.unknown().optional(),
  vision_config: z.unknown().optional(),
  text_config_dict: z.unknown().optional(),
  vision_config_dict: z.unknown().optional(),
});

/** Reads the config of a CLIPModel, with both encoders. */
export function parseClipConfig(json: unknown, where: string): ClipConfig {
  const c = parseConfig(modelSchema, json, where, { model_type: ["clip"] });
  return {
    text: parseClipTextConfig(c.text_config_dict ?? c.text_config ?? {}, `${where}: text_config`),
    vision: parseClipVisionConfig(c.vision_config_dict ?? c.vision_config ?? {}, `${where}: vision_config`),
    projectionDim: c.projection_dim,
  };
}

function transformerOf(
  c: {
    hidden_size: number;
    intermediate_size: number;
    num_hidden_layers: number;
    num_attention_heads: number;
    hidden_act: Activation;
    layer_norm_eps: number;
  },
  where: string,
): ClipTransformerConfig {
  checkHeads(c.hidden_size, c.num_attention_heads, where);
  return {
    hiddenSize: c.hidden_size,
    intermediateSize: c.intermediate_size,
    layers: c.num_hidden_layers,
    heads: c.num_attention_heads,
    activation: c.hidden_act,
    normEpsilon: c.layer_norm_eps,
  };
}
