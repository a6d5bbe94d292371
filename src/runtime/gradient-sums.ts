import { zeros, type Float32Tensor } from "../tensor/tensor.ts";
import { BACKENDS } from "./backends/index.ts";
import { createAdder } from "./buffers.ts";
import { holdTensors } from "./held.ts";
import type { Resource } from "./resources.ts";
import type { SessionOptions } from "./session-options.ts";

/** Sums of gradients over several batches, where the gradients are. Memory for them is taken when they are first wanted. */
export interface GradientSums extends Resource {
  /** Begins a sum. */
  clear(): Promise<void>;
  /** Takes up the gradients as they are now. */
  add(): Promise<void>;
  /** Adds the sum to the gradients. */
  addTo(): Promise<void>;
}

export function createGradientSums(
  gradients: ReadonlyMap<string, Float32Tensor>,
  session: SessionOptions,
): GradientSums {
  const { memory } = BACKENDS[session.device ?? "cpu"];
  const adder = createAdder(session);
  let sums: ReadonlyMap<string, Float32Tensor> | undefined;
  let held: Resource | undefined;
  const pairs = function* (): Iterable<readonly [sum: Float32Tensor, gradient: Float32Tensor]> {
    for (const [name, gradient] of gradients) {
      const sum = sums?.get(name);
      if (sum !== undefined) yield [sum, gradient];
    }
  };
  return {
    async clear() {
      if (sums === undefined) {
        sums = new Map([...gradients].map(([name, { shape }]) => [name, zeros(shape)]));
        held = await holdTensors(memory, sums.values());
        return;
      }
      for (const { data } of sums.values()) data.fill(0);
      await memory.send(sums.values());
    },
    async add() {
      for (const [sum, gradient] of pairs()) await adder.add(sum, gradient);
    },
    async addTo() {
      for (const [sum, gradient] of pairs()) await adder.add(gradient, sum);
    },
    async release() {
      await held?.release();
      await adder.release();
    },
  };
}
