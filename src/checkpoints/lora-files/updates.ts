import type { Float32Tensor } from "../../tensor/tensor.ts";
import type { LoraPart } from "./keys.ts";
import type { Layer } from "./layers.ts";

/** up · down, of [out, rank] and [rank, in]. */
export interface LowRank {
  readonly up: Float32Tensor;
  readonly down: Float32Tensor;
}

/**
 * How a layer's weight changes, as a matrix [out, in], or [out, in · k · k] of a convolution.
 *
 * - product: LoRA (arXiv 2106.09685)
 * - hadamard: LoHa, the product of two such, number by number (FedPara, arXiv 2108.06098)
 * - kronecker: LoKr (LyCORIS, arXiv 2309.14859), left ⊗ right of [a, c] and [b, d · k · k] with a · b = out and c · d = in
 */
export type Delta =
  | ({ readonly kind: "product" } & LowRank)
  | { readonly kind: "hadamard"; readonly first: LowRank; readonly second: LowRank }
  | { readonly kind: "kronecker"; readonly left: Float32Tensor | LowRank; readonly right: Float32Tensor | LowRank };

/** DoRA (arXiv 2402.09353): the lengths that the changed weight's rows or columns are brought to. */
export interface Magnitude {
  /** Of what: a length for each row, over all that it reads, or for each input channel, over all outputs and the kernel. */
  readonly axis: "out" | "in";
  readonly lengths: Float32Array;
}

/** An update of one layer's weight W: V = W + scale · delta, with the magnitude V · m / |V|. */
export interface LayerUpdate {
  readonly layer: Layer;
  readonly delta: Delta;
  /** alpha / rank */
  readonly scale: number;
  readonly magnitude?: Magnitude | undefined;
}

/** A LoRA file's updates of a model, by part. */
export type LoraUpdates = ReadonlyMap<LoraPart, readonly LayerUpdate[]>;
