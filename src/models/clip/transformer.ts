import type { Value } from "../../graph/graph.ts";
import { add } from "../../graph/ops/index.ts";
import { attention } from "../../nn/attention.ts";
import { layerNorm, linear } from "../../nn/layers.ts";
import type { Scope } from "../../nn/scope.ts";
import { activate } from "../common/activation.ts";
import type { ClipTransformerConfig } from "./config.ts";

/**
 * All layers (CLIPEncoder): [B, T, D] -> the state before every layer and, last, the one after them all.
 * @param mask added to the attention scores, see `attention`
 */
export function clipLayers(scope: Scope, config: ClipTransformerConfig, embedded: Value, mask?: Value): Value[] {
  const states = [embedded];
  let x = embedded;
  for (let layer = 0; layer < config.layers; layer++) {
    scope.graph.cut();
    x = clipLayer(scope.at("layers", layer), config, x, mask);
    states.push(x);
  }
  scope.graph.cut();
  return states;
}

/** Self-attention and a feed-forward layer, each behind a norm and with a residual. */
function clipLayer(scope: Scope, config: ClipTransformerConfig, x: Value, mask: Value | undefined): Value {
  const { hiddenSize, intermediateSize, heads, normEpsilon } = config;
  const normed = layerNorm(scope.at("layer_norm1"), x, normEpsilon);
  const project = (name: string) => linear(scope.at("self_attn", name), normed, hiddenSize);
  const mixed = attention(project("q_proj"), project("k_proj"), project("v_proj"), heads, mask);
  const attended = add(x, linear(scope.at("self_attn", "out_proj"), mixed, hiddenSize));

  const inner = linear(
    scope.at("mlp", "fc1"),
    layerNorm(scope.at("layer_norm2"), attended, normEpsilon),
    intermediateSize,
  );
  return add(attended, linear(scope.at("mlp", "fc2"), activate(config.activation, inner), hiddenSize));
}
