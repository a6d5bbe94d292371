import type { Value } from "../../graph/graph.ts";
import { add, gelu, halves, mul, reshape, swish, transpose } from "../../graph/ops/index.ts";
import { attention } from "../../nn/attention.ts";
import { convolution, groupNorm, layerNorm, linear } from "../../nn/layers.ts";
import type { Scope } from "../../nn/scope.ts";
import type { UnetConfig } from "./config.ts";

/** Two convolutions around the timestep's embedding, with a residual (ResnetBlock2D): [B, C, H, W] -> [B, channels, H, W]. */
export function resnet(
  scope: Scope,
  x: Value,
  time: Value,
  channels: number,
  { normGroups, normEpsilon }: UnetConfig,
): Value {
  let h = swish(groupNorm(scope.at("norm1"), x, normGroups, normEpsilon));
  h = convolution(scope.at("conv1"), h, channels);
  const shift = linear(scope.at("time_emb_proj"), swish(time), channels); // [B, channels]
  h = add(h, reshape(shift, [shift.shape[0], channels, 1, 1]));
  h = swish(groupNorm(scope.at("norm2"), h, normGroups, normEpsilon));
  h = convolution(scope.at("conv2"), h, channels);
  const shortcut = x.shape[1] === channels ? x : convolution(scope.at("conv_shortcut"), x, channels, { kernel: 1 });
  return add(shortcut, h);
}

export interface TransformerOptions {
  readonly heads: number;
  readonly layers: number;
}

/** Transformer layers over the pixels, looking at the text (Transformer2DModel): [B, C, H, W] and [B, L, D] -> [B, C, H, W]. */
export function spatialTransformer(
  scope: Scope,
  x: Value,
  text: Value,
  { heads, layers }: TransformerOptions,
  config: UnetConfig,
): Value {
  const [batch, channels, height, width] = x.shape;
  const toTokens = (image: Value) => transpose(reshape(image, [batch, channels, height * width]), [0, 2, 1]);
  const toImage = (tokens: Value) => reshape(transpose(tokens, [0, 2, 1]), x.shape);
  const project = (name: string, image: Value) => convolution(scope.at(name), image, channels, { kernel: 1 });

  const normed = groupNorm(scope.at("norm"), x, config.normGroups, 1e-6);
  let tokens = config.useLinearProjection
    ? linear(scope.at("proj_in"), toTokens(normed), channels)
    : toTokens(project("proj_in", normed)); // [B, HW, C]
  for (let layer = 0; layer < layers; layer++)
    tokens = transformerLayer(scope.at("transformer_blocks", layer), tokens, text, heads);
  const out = config.useLinearProjection
    ? toImage(linear(scope.at("proj_out"), tokens, channels))
    : project("proj_out", toImage(tokens));
  return add(out, x);
}

/** Attention among the tokens, then to the text, then a gated feed-forward layer, each with a residual (BasicTransformerBlock). */
function transformerLayer(scope: Scope, tokens: Value, text: Value, heads: number): Value {
  const norm = (name: string, x: Value) => layerNorm(scope.at(name), x, 1e-5);
  let x = tokens;
  const own = norm("norm1", x);
  x = add(multiHead(scope.at("attn1"), own, own, heads), x);
  x = add(multiHead(scope.at("attn2"), norm("norm2", x), text, heads), x);
  return add(feedForward(scope.at("ff", "net"), norm("norm3", x)), x);
}

function multiHead(scope: Scope, x: Value, context: Value, heads: number): Value {
  const features = x.shape[x.shape.length - 1];
  const project = (name: string, from: Value) => linear(scope.at(name), from, features, { bias: false });
  const mixed = attention(project("to_q", x), project("to_k", context), project("to_v", context), heads);
  return linear(scope.at("to_out", 0), mixed, features);
}

/** GEGLU (Shazeer, arXiv 2002.05202): half of a linear layer's output gates the other half. */
function feedForward(scope: Scope, x: Value): Value {
  const features = x.shape[x.shape.length - 1];
  const [values, gates] = halves(linear(scope.at(0, "proj"), x, features * 8));
  return linear(scope.at(2), mul(values, gelu(gates)), features);
}
