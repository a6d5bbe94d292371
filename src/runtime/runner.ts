import type { Tensor } from "../tensor/tensor.ts";

/** A session with its weights, wherever it runs. */
export interface Runner {
  run(
    feeds: Readonly<Record<string, Tensor>>,
    into: Readonly<Record<string, Tensor | undefined>>,
  ): Promise<Record<string, Tensor>>;
  release(): Promise<void>;
}
