import { zeros, type Float32Tensor, type Shape } from "../../tensor/tensor.ts";
import type { Products } from "./products.ts";
import type { Delta, LowRank } from "./updates.ts";

/** A change of a weight as one matrix. @param shape of the weight, [out, in · k · k] */
export async function deltaOf(delta: Delta, shape: Shape, products: Products): Promise<Float32Tensor> {
  switch (delta.kind) {
    case "product":
      return products(delta);
    case "hadamard": {
      const product = await products(delta.first);
      const second = await products(delta.second);
      for (let i = 0; i < product.data.length; i++) product.data[i] *= second.data[i];
      return product;
    }
    case "kronecker": {
      const whole = (factor: Float32Tensor | LowRank) => ("up" in factor ? products(factor) : factor);
      return kronecker(await whole(delta.left), await whole(delta.right), shape);
    }
  }
}

/** left ⊗ right: the number at [a · B + b, c · D + d] is left[a, c] · right[b, d], where right is [B, D]. */
function kronecker(left: Float32Tensor, right: Float32Tensor, shape: Shape): Float32Tensor {
  const out = zeros(shape);
  const [rows, columns] = left.shape;
  const [height, width] = right.shape;
  let at = 0;
  for (let a = 0; a < rows; a++)
    for (let b = 0; b < height; b++)
      for (let c = 0; c < columns; c++) {
        const factor = left.data[a * columns + c];
        for (let d = 0; d < width; d++) out.data[at++] = factor * right.data[b * width + d];
      }
  return out;
}
