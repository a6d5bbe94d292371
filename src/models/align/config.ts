import { z } from "zod";
import { ModelError } from "../../system/errors.ts";
import { activation, type Activation } from "../common/activation-names.ts";
import {
  checkHeads,
  checkLengths,
  colours,
  count,
  depth,
  epsilon,
  levels,
  parseConfig,
  type Supported,
} from "../common/config.ts";
import { stemFilters, visionBlocks, type VisionBlock } from "./scaling.ts";

/** The BERT (Devlin et al., arXiv 1810.04805) that reads ALIGN's texts. */
export interface AlignTextConfig {
  readonly vocabularySize: number;
  readonly positions: number;
  readonly tokenTypes: number;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly layers: number;
  readonly heads: number;
  readonly activation: Activation;
  readonly normEpsilon: number;
}

/** The EfficientNet (Tan and Le, arXiv 1905.11946) that looks at ALIGN's pictures, with its scaling worked out. */
export interface AlignVisionConfig {
  readonly channels: number;
  readonly stemFilters: number;
  readonly blocks: readonly VisionBlock[];
  readonly activation: Activation;
  readonly batchNormEpsilon: number;
}

/** ALIGN (Jia et al., arXiv 2102.05918). */
export interface AlignConfig {
  readonly text: AlignTextConfig;
  readonly vision: AlignVisionConfig;
  /** Features of the space that texts and pictures share: the last block's channels. */
  readonly projectionDim: number;
}

/** Defaults as in transformers' AlignTextConfig. */
const textSchema = z.object({
  vocab_size: count.default(30522),
  max_position_embeddings: count.default(512),
  type_vocab_size: count.default(2),
  hidden_size: count.default(768),
  intermediate_size: count.default(3072),
  num_hidden_layers: depth.default(12),
  num_attention_heads: count.default(12),
  hidden_act: activation.default("gelu"),
  layer_norm_eps: epsilon.default(1e-12),
});

const TEXT_SUPPORTED: Supported = {
  model_type: ["align_text_model"],
  position_embedding_type: ["absolute"],
  is_decoder: [false],
};

const counts = levels(count);
/** Coefficients of scaling: B0 has 1, B7 2 and 3.1. */
const coefficient = z.number().positive().max(10);

/** Defaults as in transformers' AlignVisionConfig. */
const visionSchema = z.object({
  num_channels: colours.default(3),
  width_coefficient: coefficient.default(2),
  depth_coefficient: coefficient.default(3.1),
  depth_divisor: count.default(8),
  in_channels: counts.default([32, 16, 24, 40, 80, 112, 192]),
  out_channels: counts.default([16, 24, 40, 80, 112, 192, 320]),
  kernel_sizes: counts.default([3, 3, 5, 3, 5, 5, 3]),
  strides: z.array(z.union([z.literal(1), z.literal(2)])).default([1, 2, 2, 2, 1, 2, 1]),
  num_block_repeats: levels(depth).default([1, 2, 2, 3, 3, 4, 1]),
  expand_ratios: counts.default([1, 6, 6, 6, 6, 6, 6]),
  depthwise_padding: z.array(z.number().int().min(0)).default([]),
  squeeze_expansion_ratio: coefficient.default(0.25),
  hidden_act: activation.default("swish"),
  batch_norm_eps: epsilon.default(0.001),
});

/** Options of the vision config, with defaults filled in. */
export type VisionOptions = z.output<typeof visionSchema>;

const VISION_SUPPORTED: Supported = { model_type: ["align_vision_model"], pooling_type: ["mean"] };

const schema = z.object({
  projection_dim: count.default(640),
  text_config: z.unknown().optional(),
  vision_config: z.unknown().optional(),
});

/**
 * Reads the config of an AlignModel such as kakaobrain/align-base.
 * @param where the file's name, for messages
 * @throws ModelError naming the key, what was expected and what came
 */
export function parseAlignConfig(json: unknown, where: string): AlignConfig {
  const c = parseConfig(schema, json, where, { model_type: ["align"] });
  const vision = visionOf(c.vision_config ?? {}, `${where}: vision_config`);
  const features = vision.blocks[vision.blocks.length - 1].filters;
  if (features !== c.projection_dim)
    throw new ModelError(
      `${where}: projection_dim ${c.projection_dim} gives texts other features than pictures have: vision_config ends in ${features} channels`,
    );
  return { text: textOf(c.text_config ?? {}, `${where}: text_config`), vision, projectionDim: c.projection_dim };
}

function textOf(json: unknown, where: string): AlignTextConfig {
  const c = parseConfig(textSchema, json, where, TEXT_SUPPORTED);
  checkHeads(c.hidden_size, c.num_attention_heads, where);
  return {
    vocabularySize: c.vocab_size,
    positions: c.max_position_embeddings,
    tokenTypes: c.type_vocab_size,
    hiddenSize: c.hidden_size,
    intermediateSize: c.intermediate_size,
    layers: c.num_hidden_layers,
    heads: c.num_attention_heads,
    activation: c.hidden_act,
    normEpsilon: c.layer_norm_eps,
  };
}

function visionOf(json: unknown, where: string): AlignVisionConfig {
  const c = parseConfig(visionSchema, json, where, VISION_SUPPORTED);
  const { in_channels, out_channels, kernel_sizes, strides, num_block_repeats, expand_ratios } = c;
  checkLengths({ in_channels, out_channels, kernel_sizes, strides, num_block_repeats, expand_ratios }, where);
  const blocks = visionBlocks(c);
  let channels = stemFilters(c);
  for (const [i, block] of blocks.entries()) {
    if (block.channels !== channels)
      throw new ModelError(
        `${where}: block ${i} takes ${block.channels} channels (in_channels) but gets ${channels} (out_channels)`,
      );
    channels = block.filters;
  }
  return {
    channels: c.num_channels,
    stemFilters: stemFilters(c),
    blocks,
    activation: c.hidden_act,
    batchNormEpsilon: c.batch_norm_eps,
  };
}
