import type { Value } from "../graph/graph.ts";
import { add, matmul, reshape, softmax, transpose } from "../graph/ops/index.ts";

/**
 * Scaled dot-product attention (Vaswani et al., arXiv 1706.03762) over heads that lie side by side.
 *
 * @param q [B, T, heads · D]
 * @param k [B, S, heads · D]
 * @param v [B, S, heads · D]
 * @param mask added to the scores before the softmax; broadcasts to [B, heads, T, S]
 * @returns [B, T, heads · D]
 */
export function attention(q: Value, k: Value, v: Value, heads: number, mask?: Value): Value {
  const [batch, tokens, features] = q.shape;
  const scores = matmul(splitHeads(q, heads), splitHeads(k, heads), {
    transB: true,
    alpha: 1 / Math.sqrt(features / heads),
  });
  const weights = softmax(mask === undefined ? scores : add(scores, mask)); // [B, heads, T, S]
  const mixed = matmul(weights, splitHeads(v, heads)); // [B, heads, T, D]
  return reshape(transpose(mixed, [0, 2, 1, 3]), [batch, tokens, features]);
}

/** [B, T, heads · D] -> [B, heads, T, D] */
function splitHeads(x: Value, heads: number): Value {
  const [batch, tokens, features] = x.shape;
  return transpose(reshape(x, [batch, tokens, heads, features / heads]), [0, 2, 1, 3]);
}
