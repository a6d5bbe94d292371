import type { Value } from "../../graph/graph.ts";
import { add, exp, logSoftmax, matmul, mul, neg, sum } from "../../graph/ops/index.ts";
import { zeros, type Float32Tensor } from "../../tensor/tensor.ts";

/**
 * The symmetric contrastive loss of pictures and texts (Radford et al., arXiv 2103.00020): every picture's texts among all texts, and
 * every text's pictures among all pictures.
 *
 * @param images [B, D], of unit length
 * @param texts [B, D], of unit length
 * @param logScale the logarithm of what cosines are multiplied by, of shape []
 * @param positives [B, B], which belong together: see {@link positivesOf}
 */
export function captionLoss(images: Value, texts: Value, logScale: Value, positives: Value): Value {
  const scale = exp(logScale);
  const agreement = (a: Value, b: Value) => matchLoss(mul(matmul(a, b, { transB: true }), scale), positives);
  return mul(add(agreement(images, texts), agreement(texts, images)), 0.5);
}

/**
 * The supervised contrastive loss (Khosla et al., arXiv 2004.11362, L_out): every picture's own kind among all other pictures.
 *
 * @param features [N, D], of unit length
 * @param positives [N, N], which show the same instance, without the diagonal: see {@link positivesOf}
 */
export function instanceLoss(features: Value, positives: Value, temperature: number): Value {
  const [count] = features.shape;
  const self = zeros([count, count]);
  for (let i = 0; i < count; i++) self.data[i * (count + 1)] = -1e4;
  const similarities = matmul(features, features, { transB: true, alpha: 1 / temperature });
  return matchLoss(add(similarities, features.graph.constant(self)), positives);
}

/** -Σ p ln softmax(s), the mean over rows. */
function matchLoss(scores: Value, positives: Value): Value {
  return mul(neg(sum(mul(positives, logSoftmax(scores)))), 1 / scores.shape[0]);
}

/**
 * Rows of equal probability for everything with the row's own key: [N, N].
 * @param withoutSelf leaves the diagonal out; a row that is alone with its key is zero then
 */
export function positivesOf(keys: readonly string[], { withoutSelf = false } = {}): Float32Tensor {
  const count = keys.length;
  const out = zeros([count, count]);
  keys.forEach((key, row) => {
    const matches = keys.flatMap((other, i) => (other === key && !(withoutSelf && i === row) ? [i] : []));
    for (const i of matches) out.data[row * count + i] = 1 / matches.length;
  });
  return out;
}
