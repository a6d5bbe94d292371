import type { SessionOptions } from "../runtime/session-options.ts";
import { assemble } from "../runtime/resources.ts";
import type { Float32Tensor } from "../tensor/tensor.ts";
import { createAdamW, type AdamW, type OptimizerState } from "./adamw.ts";

/** Parameters that train alike. */
export interface ParameterGroup {
  /** For messages: "LoRA". */
  readonly name: string;
  /** Where they begin, by the names that a graph has for them; copied. */
  readonly start: ReadonlyMap<string, Float32Tensor>;
  readonly learningRate: number;
  /** Default: AdamW's. */
  readonly weightDecay?: number | undefined;
  /** The group's gradients are scaled down to this norm when theirs is larger. Default: AdamW's. */
  readonly maxGradNorm?: number | undefined;
}

/** AdamW over groups of parameters, each with its own rate, decay and clipping. */
export interface Optimizer extends OptimizerState {
  /** Where a step's gradients are to be written before {@link Optimizer.step}. */
  readonly gradients: ReadonlyMap<string, Float32Tensor>;
  /** Updates the parameters in place. @returns the norm of all gradients before clipping */
  step(): Promise<number>;
  release(): Promise<void>;
}

/** @throws Error when two groups have a parameter of the same name */
export async function createOptimizer(groups: readonly ParameterGroup[], session: SessionOptions): Promise<Optimizer> {
  return assemble(async (own, release) => {
    const parts: (ParameterGroup & { readonly adamW: AdamW })[] = [];
    for (const group of groups) parts.push({ ...group, adamW: own(await createAdamW(group.start, session)) });
    const all = (of: (adamW: AdamW) => ReadonlyMap<string, Float32Tensor>) =>
      union(parts.map(({ adamW }) => of(adamW)));
    return {
      parameters: all(({ parameters }) => parameters),
      gradients: all(({ gradients }) => gradients),
      moments: { first: all(({ moments }) => moments.first), second: all(({ moments }) => moments.second) },
      async fetch() {
        for (const { adamW } of parts) await adamW.fetch();
      },
      async send() {
        for (const { adamW } of parts) await adamW.send();
      },
      get stepCount() {
        return parts[0].adamW.stepCount;
      },
      set stepCount(count) {
        for (const { adamW } of parts) adamW.stepCount = count;
      },
      async step() {
        const norms: number[] = [];
        for (const { adamW, learningRate, weightDecay, maxGradNorm } of parts)
          norms.push(await adamW.step({ learningRate, weightDecay, maxGradNorm }));
        return norms.length === 1 ? norms[0] : Math.hypot(...norms);
      },
      release,
    };
  });
}

function union(maps: readonly ReadonlyMap<string, Float32Tensor>[]): ReadonlyMap<string, Float32Tensor> {
  const all = new Map(maps.flatMap((map) => [...map]));
  if (all.size !== maps.reduce((sum, { size }) => sum + size, 0))
    throw new Error("two groups of parameters have one of the same name");
  return all;
}
