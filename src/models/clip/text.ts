import type { Graph, Value } from "../../graph/graph.ts";
import { add, gather, reshape, slice } from "../../graph/ops/index.ts";
import { embedding, layerNorm, linear } from "../../nn/layers.ts";
import type { Scope } from "../../nn/scope.ts";
import { ModelError } from "../../system/errors.ts";
import { float32, int32, type Int32Tensor } from "../../tensor/tensor.ts";
import type { ClipTextConfig } from "./config.ts";
import { clipLayers } from "./transformer.ts";

/** What CLIP makes of a text. */
export interface ClipText {
  /** After the last layer and the final norm: what SD 1.x and 2.x read. [B, L, D] */
  readonly last: Value;
  /** Before the last layer, without a norm: what SDXL reads. [B, L, D] */
  readonly penultimate: Value;
}

/**
 * CLIP's text encoder (CLIPTextModel): every token sees itself and those before it.
 *
 * Names are those of a CLIPTextModel that transformers 5 wrote, such as `embeddings.token_embedding.weight`; within other models
 * give `scope.at("text_model")`.
 *
 * @param ids int32 [B, L]
 * @throws ModelError when the texts are longer than the model has positions
 */
export function clipText(scope: Scope, config: ClipTextConfig, ids: Value): ClipText {
  const [, length] = ids.shape;
  const { hiddenSize, vocabularySize, positions } = config;
  if (length > positions)
    throw new ModelError(`the text encoder takes ${positions} tokens (max_position_embeddings), got ${length}`);
  return clipTextOf(
    scope,
    config,
    embedding(scope.at("embeddings", "token_embedding"), ids, vocabularySize, hiddenSize),
  );
}

/**
 * {@link clipText} of tokens that are vectors already, such as words whose vectors train.
 * @param tokens [B, L, D], without their positions
 */
export function clipTextOf(scope: Scope, config: ClipTextConfig, tokens: Value): ClipText {
  const [, length] = tokens.shape;
  const { hiddenSize, positions, normEpsilon } = config;
  const table = scope.at("embeddings", "position_embedding").parameter("weight", [positions, hiddenSize]);
  const embedded = add(tokens, slice(table, 0, 0, length));
  const states = clipLayers(scope.at("encoder"), config, embedded, causalMask(scope.graph, length));
  return {
    last: layerNorm(scope.at("final_layer_norm"), states[config.layers], normEpsilon),
    penultimate: states[config.layers - 1],
  };
}

/**
 * The state that stands for the whole text: [B, D].
 * @param last [B, L, D]
 * @param eosRows int32 [B], see {@link clipEosRows}
 */
export function clipPooled(last: Value, eosRows: Value): Value {
  const [batch, length, features] = last.shape;
  return gather(reshape(last, [batch * length, features]), eosRows);
}

/** The pooled text in the space that texts and pictures share (`text_projection`): [B, projectionDim], not of unit length. */
export function clipTextFeatures(scope: Scope, pooled: Value, projectionDim: number): Value {
  return linear(scope.at("text_projection"), pooled, projectionDim, { bias: false });
}

/** The id that configs name as the end of text by mistake; the true one is then the highest of all. */
const WRONG_EOS = 2;

/**
 * Where each text's end stands among the rows of [B · L, D]: int32 [B], as transformers finds it: the first end token, or the first
 * of the highest ids where the config has the wrong end token of 2022; position 0 where there is none.
 *
 * @param ids [B, L]
 */
export function clipEosRows(ids: Int32Tensor, { eosTokenId }: Pick<ClipTextConfig, "eosTokenId">): Int32Tensor {
  const [batch, length] = ids.shape;
  const rows = Array.from({ length: batch }, (_, text) => {
    const tokens = ids.data.subarray(text * length, (text + 1) * length);
    const end = eosTokenId === WRONG_EOS ? tokens.reduce((a, b) => Math.max(a, b)) : eosTokenId;
    return text * length + Math.max(0, tokens.indexOf(end));
  });
  return int32(rows, [batch]);
}

/** 0 where a token may look and -∞ above the diagonal: [L, L]. */
function causalMask(graph: Graph, length: number): Value {
  const mask = Float32Array.from({ length: length * length }, (_, i) =>
    i % length > Math.floor(i / length) ? -Infinity : 0,
  );
  return graph.constant(float32(mask, [length, length]));
}
