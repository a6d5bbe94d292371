import type { Value } from "../../graph/graph.ts";
import { add, reshape, slice } from "../../graph/ops/index.ts";
import { attention } from "../../nn/attention.ts";
import { layerNorm, linear } from "../../nn/layers.ts";
import type { Scope } from "../../nn/scope.ts";
import { activate } from "../common/activation.ts";
import { patchEmbedding, withClassToken } from "../common/embeddings.ts";
import type { DinoConfig } from "./config.ts";

/**
 * The vision transformer that DINO trains (Caron et al., arXiv 2104.14294; ViTModel): the class token's state after the last norm.
 *
 * @param pixels [B, channels, imageSize, imageSize]
 * @returns [B, D]
 * @throws ModelError for pictures of another size
 */
export function dino(scope: Scope, config: DinoConfig, pixels: Value): Value {
  const { hiddenSize, channels, imageSize, patchSize, normEpsilon, layers } = config;
  const embeddings = scope.at("embeddings");
  const projection = embeddings.at("patch_embeddings", "projection");
  const patches = patchEmbedding(
    pixels,
    projection.parameter("weight", [hiddenSize, channels, patchSize, patchSize]),
    projection.parameter("bias", [hiddenSize]),
    imageSize,
  );
  let x = withClassToken(
    patches,
    embeddings.parameter("cls_token", [1, 1, hiddenSize]),
    embeddings.parameter("position_embeddings", [1, patches.shape[1] + 1, hiddenSize]),
  );
  for (let layer = 0; layer < layers; layer++) {
    scope.graph.cut();
    x = vitLayer(scope.at("encoder", "layer", layer), config, x);
  }
  scope.graph.cut();
  const classState = reshape(slice(x, 1, 0, 1), [pixels.shape[0], hiddenSize]);
  return layerNorm(scope.at("layernorm"), classState, normEpsilon);
}

/** Self-attention and a feed-forward layer, each behind a norm and with a residual. */
function vitLayer(scope: Scope, config: DinoConfig, x: Value): Value {
  const { hiddenSize, intermediateSize, heads, normEpsilon, qkvBias } = config;
  const normed = layerNorm(scope.at("layernorm_before"), x, normEpsilon);
  const project = (name: string) =>
    linear(scope.at("attention", "attention", name), normed, hiddenSize, { bias: qkvBias });
  const mixed = attention(project("query"), project("key"), project("value"), heads);
  const attended = add(x, linear(scope.at("attention", "output", "dense"), mixed, hiddenSize));

  const inner = linear(
    scope.at("intermediate", "dense"),
    layerNorm(scope.at("layernorm_after"), attended, normEpsilon),
    intermediateSize,
  );
  return add(attended, linear(scope.at("output", "dense"), activate(config.activation, inner), hiddenSize));
}
