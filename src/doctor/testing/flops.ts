import { nodesBehind, type Node, type Value } from "../../graph/graph.ts";
import { sizeOf } from "../../tensor/tensor.ts";

/** Floating point operations of the products and convolutions behind values, a multiplication and an addition being two. */
export function flopsOf(outputs: readonly Value[]): number {
  return nodesBehind(outputs).reduce((sum, node) => sum + flopsOfNode(node), 0);
}

function flopsOfNode({ op, inputs, outputs: [y] }: Node): number {
  const [a, b] = inputs;
  if (op === "conv2d") return 2 * sizeOf(y.shape) * sizeOf(b.shape.slice(1));
  // rows x inner x columns: inner is what A has besides the rows
  if (op === "matmul" || op === "gemm") return 2 * sizeOf(y.shape) * (sizeOf(a.shape) / sizeOf(y.shape.slice(0, -1)));
  if (op === "fusedAttention") {
    // Q Kᵀ and P V: [B, T, D], [B, S, D]
    const [batch, queries, features] = a.shape;
    return 2 * (2 * batch * queries * b.shape[1] * features);
  }
  return 0;
}
