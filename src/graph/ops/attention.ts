import { describe, type Value } from "../graph.ts";
import { defineOp, ShapeError } from "../op.ts";
import { add, mul, neg } from "./elementwise.ts";
import { concat, expand, reshape, slice, sliceAll, transpose } from "./layout.ts";
import { matmul } from "./matrix.ts";
import { softmax, sum } from "./reduce.ts";

/** Attention as one op, which never holds all scores at once: for long sequences. */

export interface AttentionAttributes {
  readonly heads: number;
  /** How many scores the way back computes at a time; the device's own number when absent. */
  readonly scoresAtATime?: number | undefined;
}

/** The way back takes at least so many queries at a time, for short products are slow. */
const QUERIES_AT_A_TIME = 256;

export const attentionOps = {
  // P = softmax(Q Kᵀ / √D), O = P V a head; dV = Pᵀ dO, dS = P ∘ (dO Vᵀ - rowsum(dO ∘ O)), dQ = dS K / √D, dK = dSᵀ Q / √D; the sum
  // stands for rowsum(P ∘ dO Vᵀ), and its subtraction is one more column in the product (FlashAttention, arXiv 2205.14135, App. B.4)
  fusedAttention: defineOp<AttentionAttributes>({
    infer([q, k, v], { heads }) {
      const [batch, , features] = q.shape;
      const fits = [k, v].every((x) => x.shape[0] === batch && x.shape[1] === k.shape[1] && x.shape[2] === features);
      if (q.shape.length !== 3 || !fits || features % heads !== 0)
        throw new ShapeError(`attention with ${heads} heads: ${[q, k, v].map(describe).join(", ")}`);
      return [{ dtype: q.dtype, shape: q.shape }];
    },
    onnx: ({ heads }) => ({ type: "MultiHeadAttention", domain: "com.microsoft", attributes: { num_heads: heads } }),
    gradient({ grad, inputs, outputs, attributes: { heads, scoresAtATime }, dialect: { attentionScores, lanes } }) {
      const [q, k, v, out, dOut] = [...inputs, outputs[0], grad].map((x) => splitHeads(x, heads)); // [B, heads, T, D]
      const [batch, , queries, features] = q.shape;
      const columns = (x: Value, number: number, count: number) =>
        count === 0 ? [] : [expand(x.graph.scalar(number), [...x.shape.slice(0, -1), count])];
      const rest = lanes - 1 - (features % lanes); // [B, heads, T, D + 1 + rest]
      const dOutLess = concat([dOut, neg(sum(mul(dOut, out), [-1], true)), ...columns(dOut, 0, rest)], -1);
      const vAndOne = concat([v, ...columns(v, 1, 1), ...columns(v, 0, rest)], -1);
      const alpha = 1 / Math.sqrt(features);
      const perQuery = batch * heads * k.shape[2];
      const atATime = scoresAtATime ?? Math.max(attentionScores, perQuery * QUERIES_AT_A_TIME);
      const rows = Math.max(1, Math.floor(atATime / perQuery));
      const dq: Value[] = [];
      let dk: Value | undefined;
      let dv: Value | undefined;
      for (let start = 0; start < queries; start += rows) {
        const part = (x: Value) => slice(x, 2, start, Math.min(start + rows, queries));
        // Waits for the part before, or ONNX Runtime would compute all parts' probabilities first and hold them.
        const qPart = dk === undefined || dv === undefined ? part(q) : after(part(q), [dk, dv, dq[dq.length - 1]]);
        const p = softmax(matmul(qPart, k, { transB: true, alpha }));
        const ds = mul(p, matmul(part(dOutLess), vAndOne, { transB: true }));
        const dvPart = matmul(p, part(dOut), { transA: true });
        const dkPart = matmul(ds, qPart, { transA: true, alpha });
        dq.push(matmul(ds, k, { alpha }));
        dv = dv === undefined ? dvPart : add(dv, dvPart);
        dk = dk === undefined ? dkPart : add(dk, dkPart);
      }
      return [concat(dq, 2), dk, dv].map((x) => (x === undefined ? undefined : joinHeads(x)));
    },
  }),
};

/** `x`, but not before `others` are computed: adds zero times one element of each. */
function after(x: Value, others: readonly Value[]): Value {
  const elements = others.map((other) =>
    reshape(
      sliceAll(
        other,
        other.shape.map(() => 0),
        other.shape.map(() => 1),
      ),
      [],
    ),
  );
  return add(x, mul(elements.reduce(add), 0));
}

/** [B, T, heads · D] -> [B, heads, T, D] */
export function splitHeads(x: Value, heads: number): Value {
  const [batch, tokens, features] = x.shape;
  return transpose(reshape(x, [batch, tokens, heads, features / heads]), [0, 2, 1, 3]);
}

/** [B, heads, T, D] -> [B, T, heads · D] */
export function joinHeads(x: Value): Value {
  const [batch, heads, tokens, features] = x.shape;
  return reshape(transpose(x, [0, 2, 1, 3]), [batch, tokens, heads * features]);
}

/** softmax(Q Kᵀ / √D) V with heads side by side: q [B, T, heads · D], k and v [B, S, heads · D] -> [B, T, heads · D]. */
export function fusedAttention(q: Value, k: Value, v: Value, heads: number, scoresAtATime?: number): Value {
  const [y] = q.graph.apply("fusedAttention", [q, k, v], { heads, scoresAtATime });
  return y;
}
