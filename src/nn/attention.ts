import type { Value } from "../graph/graph.ts";
import { add, fusedAttention, joinHeads, matmul, softmax, splitHeads } from "../graph/ops/index.ts";

/** From this many scores a head on, attention that holds a part of them at a time is faster as well as smaller. */
const FUSED_SCORES = 2 ** 18;

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
  const [, tokens, features] = q.shape;
  if (mask === undefined && tokens * k.shape[1] >= FUSED_SCORES) return fusedAttention(q, k, v, heads);
  const scores = matmul(splitHeads(q, heads), splitHeads(k, heads), {
    transB: true,
    alpha: 1 / Math.sqrt(features / heads),
  });
  const weights = softmax(mask === undefined ? scores : add(scores, mask)); // [B, heads, T, S]
  return joinHeads(matmul(weights, splitHeads(v, heads)));
}
