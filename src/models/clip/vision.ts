import type { Value } from "../../graph/graph.ts";
import { reshape, slice } from "../../graph/ops/index.ts";
import { layerNorm, linear } from "../../nn/layers.ts";
import type { Scope } from "../../nn/scope.ts";
import { patchEmbedding, withClassToken } from "../common/embeddings.ts";
import type { ClipVisionConfig } from "./config.ts";
import { clipLayers } from "./transformer.ts";

/**
 * CLIP's picture encoder (CLIPVisionModel): [B, channels, imageSize, imageSize] -> the class token's state, [B, D].
 *
 * Within a CLIPModel give `scope.at("vision_model")`.
 *
 * @throws ModelError for pictures of another size
 */
export function clipVision(scope: Scope, config: ClipVisionConfig, pixels: Value): Value {
  const { hiddenSize, channels, imageSize, patchSize, normEpsilon } = config;
  const embeddings = scope.at("embeddings");
  const kernel = embeddings.parameter("patch_embedding.weight", [hiddenSize, channels, patchSize, patchSize]);
  const patches = patchEmbedding(pixels, kernel, undefined, imageSize);
  const tokens = withClassToken(
    patches,
    embeddings.parameter("class_embedding", [hiddenSize]),
    embeddings.parameter("position_embedding.weight", [patches.shape[1] + 1, hiddenSize]),
  );
  const normed = layerNorm(scope.at("pre_layrnorm"), tokens, normEpsilon); // sic, in every checkpoint
  const states = clipLayers(scope.at("encoder"), config, normed);
  const classState = reshape(slice(states[config.layers], 1, 0, 1), [pixels.shape[0], hiddenSize]);
  return layerNorm(scope.at("post_layernorm"), classState, normEpsilon);
}

/** The pooled picture in the space that texts and pictures share (`visual_projection`): [B, projectionDim], not of unit length. */
export function clipImageFeatures(scope: Scope, pooled: Value, projectionDim: number): Value {
  return linear(scope.at("visual_projection"), pooled, projectionDim, { bias: false });
}
