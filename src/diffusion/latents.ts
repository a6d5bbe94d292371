import { sameShape, sizeOf, zeros } from "../tensor/tensor.ts";
import type { Float32Tensor } from "../tensor/tensor.ts";

/** A coefficient and the tensor it multiplies. */
export type Term = readonly [coefficient: number, tensor: Float32Tensor];

/** sum_k c_k x_k over tensors of one shape, summed in double precision. @throws RangeError when shapes differ. */
export function weightedSum(first: Term, ...rest: readonly Term[]): Float32Tensor {
  const [coefficient, { data, shape }] = first;
  const sum = Float64Array.from(data, (value) => coefficient * value);
  for (const [weight, tensor] of rest) {
    if (!sameShape(tensor.shape, shape)) throw differentShapes(tensor, first[1]);
    tensor.data.forEach((value, i) => (sum[i] = (sum[i] ?? 0) + weight * value));
  }
  const out = zeros(shape);
  out.data.set(sum);
  return out;
}

/** a_b x_b + c_b y_b for each item b along the first axis. @throws RangeError when shapes or counts differ. */
export function blendItems(
  x: Float32Tensor,
  y: Float32Tensor,
  xWeights: readonly number[],
  yWeights: readonly number[],
): Float32Tensor {
  if (!sameShape(x.shape, y.shape)) throw differentShapes(y, x);
  const [items = 0, ...rest] = x.shape;
  if (xWeights.length !== items) throw new RangeError(`${xWeights.length} timesteps for a batch of ${items}`);
  const size = sizeOf(rest);
  const out = zeros(x.shape);
  x.data.forEach((value, i) => {
    const item = Math.floor(i / size);
    out.data[i] = (xWeights[item] ?? NaN) * value + (yWeights[item] ?? NaN) * (y.data[i] ?? NaN);
  });
  return out;
}

function differentShapes(got: Float32Tensor, expected: Float32Tensor): RangeError {
  return new RangeError(`shape [${got.shape.join(", ")}] where [${expected.shape.join(", ")}] was expected`);
}
