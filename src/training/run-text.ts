import type { TextEmbedding } from "../diffusion/text-encoding.ts";
import type { Float32Tensor } from "../tensor/tensor.ts";

/** A text of a run. */
export interface RunText extends TextEmbedding {
  /** Where text encoders train, what graphs that train are fed instead of its embedding. */
  readonly inputs?: TextInputs;
}

/** A text as graphs are fed it that read it by text encoders that train. */
export interface TextInputs {
  /** Whether what trains is in it. */
  readonly isTrained: boolean;
  /** What an objective's graph declares of a text under a name. */
  feeds(name: string): Readonly<Record<string, Float32Tensor>>;
}
