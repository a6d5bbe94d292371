import type { Value } from "../../graph/graph.ts";
import { add, mul, relu, sigmoid } from "../../graph/ops/index.ts";
import { linear } from "../../nn/layers.ts";
import type { Scope } from "../../nn/scope.ts";
import type { Random } from "../../tensor/random.ts";
import { float32, zeros, type Float32Tensor } from "../../tensor/tensor.ts";

/**
 * DisenBooth's image adapter (Chen et al., ICLR 2024, arXiv 2305.03374; `Image_adapter` of its authors' disen_net.py): what of a picture's CLIP
 * features is not its subject, in the space of a text's states.
 *
 *     g    = σ(mask) ∘ features
 *     f(g) = W₂ relu(W₀ g + b₀) + b₂ + g
 *
 * @param features [B, D]
 * @returns [B, D]
 */
export function imageAdapter(scope: Scope, features: Value): Value {
  const [, width] = features.shape;
  const gated = mul(features, sigmoid(scope.parameter("mask", [width])));
  const hidden = relu(linear(scope.at("adapter", "0"), gated, width));
  return add(linear(scope.at("adapter", "2"), hidden, width), gated);
}

/** An adapter's parameters, by their names in the authors' files. @param width D */
export function imageAdapterShapes(width: number): ReadonlyMap<string, readonly number[]> {
  return new Map<string, readonly number[]>([
    ["mask", [width]],
    ["adapter.0.weight", [width, width]],
    ["adapter.0.bias", [width]],
    ["adapter.2.weight", [width, width]],
    ["adapter.2.bias", [width]],
  ]);
}

/** Where an adapter begins: its mask at 0, so that half of each feature passes, and its layers as PyTorch's `nn.Linear` does, U(-1/√D, 1/√D). */
export function initialImageAdapter(width: number, rng: Random): Map<string, Float32Tensor> {
  const bound = 1 / Math.sqrt(width);
  return new Map(
    [...imageAdapterShapes(width)].map(([name, shape]) => {
      const own = rng.split(name);
      const tensor = zeros(shape);
      return [
        name,
        name === "mask"
          ? tensor
          : float32(
              tensor.data.map(() => bound * (2 * own.uniform() - 1)),
              shape,
            ),
      ];
    }),
  );
}
