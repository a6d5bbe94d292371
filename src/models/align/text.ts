import type { Value } from "../../graph/graph.ts";
import { add, mul, reshape, slice, sub } from "../../graph/ops/index.ts";
import { attention } from "../../nn/attention.ts";
import { embedding, layerNorm, linear } from "../../nn/layers.ts";
import type { Scope } from "../../nn/scope.ts";
import { ModelError } from "../../system/errors.ts";
import { activate } from "../common/activation.ts";
import type { AlignConfig, AlignTextConfig } from "./config.ts";

/**
 * ALIGN's text encoder (AlignTextModel and `text_projection`): the first token's state, projected.
 *
 * @param scope of the whole model; names begin with `text_model.` and `text_projection.`
 * @param ids int32 [B, L]
 * @param mask float32 [B, L], 1 for tokens and 0 for padding
 * @returns [B, projectionDim], not of unit length
 * @throws ModelError when the texts are longer than the model has positions
 */
export function alignTextFeatures(
  scope: Scope,
  { text, projectionDim }: Pick<AlignConfig, "text" | "projectionDim">,
  ids: Value,
  mask: Value,
): Value {
  const [batch, length] = ids.shape;
  const bert = scope.at("text_model");
  const shut = reshape(mul(sub(mask, 1), SHUT), [batch, 1, 1, length]); // 0 where a token may look
  let x = embed(bert.at("embeddings"), text, ids);
  for (let layer = 0; layer < text.layers; layer++) {
    scope.graph.cut();
    x = bertLayer(bert.at("encoder", "layer", layer), text, x, shut);
  }
  scope.graph.cut();
  const first = reshape(slice(x, 1, 0, 1), [batch, text.hiddenSize]);
  return linear(scope.at("text_projection"), first, projectionDim);
}

/** What is taken off the scores of padding: far more than scores differ by, so that its weights are 0. */
const SHUT = 1e9;

function embed(scope: Scope, config: AlignTextConfig, ids: Value): Value {
  const [, length] = ids.shape;
  const { hiddenSize, vocabularySize, positions, tokenTypes, normEpsilon } = config;
  if (length > positions)
    throw new ModelError(`the text encoder takes ${positions} tokens (max_position_embeddings), got ${length}`);
  const words = embedding(scope.at("word_embeddings"), ids, vocabularySize, hiddenSize);
  const table = (name: string, rows: number) => scope.at(name).parameter("weight", [rows, hiddenSize]);
  const firstSentence = slice(table("token_type_embeddings", tokenTypes), 0, 0, 1);
  const places = slice(table("position_embeddings", positions), 0, 0, length);
  return layerNorm(scope.at("LayerNorm"), add(add(words, firstSentence), places), normEpsilon);
}

/** Self-attention and a feed-forward layer, each with a residual and a norm behind it. */
function bertLayer(scope: Scope, config: AlignTextConfig, x: Value, mask: Value): Value {
  const { hiddenSize, intermediateSize, heads, normEpsilon } = config;
  const project = (name: string) => linear(scope.at("attention", "self", name), x, hiddenSize);
  const mixed = attention(project("query"), project("key"), project("value"), heads, mask);
  const attended = residual(scope.at("attention", "output"), mixed, x, normEpsilon);
  const inner = activate(config.activation, linear(scope.at("intermediate", "dense"), attended, intermediateSize));
  return residual(scope.at("output"), inner, attended, normEpsilon);
}

function residual(scope: Scope, update: Value, x: Value, normEpsilon: number): Value {
  const [, , features] = x.shape;
  return layerNorm(scope.at("LayerNorm"), add(linear(scope.at("dense"), update, features), x), normEpsilon);
}
