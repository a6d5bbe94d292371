import type { Value } from "../../graph/graph.ts";
import {
  add,
  concat,
  div,
  expand,
  gemm,
  matmul,
  mul,
  reshape,
  sliceAll,
  sqrt,
  sum,
  transpose,
} from "../../graph/ops/index.ts";
import { ModelError } from "../../system/errors.ts";

/**
 * The projections of square patches: a convolution whose stride is its kernel's size, as one matrix product.
 *
 * @param pixels [B, C, H, W]
 * @param weight [D, C, P, P]
 * @returns [B, H / P · W / P, D], rows first; pixels beyond the last whole patch do not count
 * @throws ModelError unless the pictures have `size` x `size` pixels: position embeddings are not interpolated
 */
export function patchEmbedding(pixels: Value, weight: Value, bias: Value | undefined, size: number): Value {
  const [batch, channels, height, width] = pixels.shape;
  const [features, , patch] = weight.shape;
  if (height !== size || width !== size)
    throw new ModelError(`the model takes pictures of ${size} x ${size} pixels (image_size), got ${height} x ${width}`);
  const side = Math.floor(size / patch);
  const whole = sliceAll(pixels, [0, 0, 0, 0], [batch, channels, side * patch, side * patch]);
  const tiles = reshape(whole, [batch, channels, side, patch, side, patch]);
  const rows = reshape(transpose(tiles, [0, 2, 4, 1, 3, 5]), [batch * side * side, channels * patch * patch]);
  const matrix = reshape(weight, [features, channels * patch * patch]);
  const projected =
    bias === undefined ? matmul(rows, matrix, { transB: true }) : gemm(rows, matrix, bias, { transB: true });
  return reshape(projected, [batch, side * side, features]);
}

/** A class token put before the patches, and positions added: [B, N, D] with `token` of D elements and `positions` of [N + 1, D]. */
export function withClassToken(patches: Value, token: Value, positions: Value): Value {
  const [batch, , features] = patches.shape;
  const tokens = concat([expand(reshape(token, [1, 1, features]), [batch, 1, features]), patches], 1);
  return add(tokens, positions);
}

/** Vectors along the last axis at length 1, as cosine similarities need them. */
export function unitLength(x: Value): Value {
  return div(x, sqrt(sum(mul(x, x), [-1], true)));
}
