import { z } from "zod";
import { activation, type Activation } from "../common/activation-names.ts";
import { checkHeads, checkPatches, colours, count, depth, epsilon, parseConfig, side } from "../common/config.ts";

/** What a ViTModel is built from. */
export interface DinoConfig {
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly layers: number;
  readonly heads: number;
  readonly activation: Activation;
  readonly normEpsilon: number;
  readonly qkvBias: boolean;
  readonly channels: number;
  /** Height and width of the pictures in pixels. */
  readonly imageSize: number;
  readonly patchSize: number;
}

/** The keys that are read, with the defaults of transformers' ViTConfig. */
const schema = z.object({
  hidden_size: count.default(768),
  intermediate_size: count.default(3072),
  num_hidden_layers: depth.default(12),
  num_attention_heads: count.default(12),
  hidden_act: activation.default("gelu"),
  layer_norm_eps: epsilon.default(1e-12),
  qkv_bias: z.boolean().default(true),
  num_channels: colours.default(3),
  image_size: side.default(224),
  patch_size: side.default(16),
});

/**
 * Reads the config of a ViTModel such as facebook/dino-vits16.
 * @param where the file's name, for messages
 * @throws ModelError naming the key, what was expected and what came
 */
export function parseDinoConfig(json: unknown, where: string): DinoConfig {
  const c = parseConfig(schema, json, where, { model_type: ["vit"] });
  checkHeads(c.hidden_size, c.num_attention_heads, where);
  checkPatches(c, where);
  return {
    hiddenSize: c.hidden_size,
    intermediateSize: c.intermediate_size,
    layers: c.num_hidden_layers,
    heads: c.num_attention_heads,
    activation: c.hidden_act,
    normEpsilon: c.layer_norm_eps,
    qkvBias: c.qkv_bias,
    channels: c.num_channels,
    imageSize: c.image_size,
    patchSize: c.patch_size,
  };
}
