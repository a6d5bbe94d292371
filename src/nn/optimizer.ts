import type { SessionOptions } from "../runtime/session-options.ts";
import { assemble } from "../runtime/resources.ts";
import type { Float32Tensor } from "../tensor/tensor.ts";
import { createAdamW, type AdamW, type OptimizerState } from "./adamw.ts";
import { nextLossScale, type LossScale } from "./loss-scale.ts";

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
  /** Whether the norm that counts is that of all groups which say so, and not the group's own. Default: no. */
  readonly isClippedTogether?: boolean;
}

/** AdamW over groups of parameters, each with its own rate, decay and clipping. */
export interface Optimizer extends OptimizerState {
  /** Where a step's gradients are to be written before {@link Optimizer.step}. */
  readonly gradients: ReadonlyMap<string, Float32Tensor>;
  /**
   * Updates the parameters in place. With a loss scale the step is passed over, and the scale halved, where a gradient is not finite.
   * @param options.rate times which the groups' own rates count; default 1
   * @param options.count of how many the gradients are the sum, whose mean is wanted; default 1
   * @returns the norm of all gradients before clipping
   */
  step(options?: { readonly rate?: number; readonly count?: number }): Promise<number>;
  release(): Promise<void>;
}

/**
 * @param lossScale of the gradients, where they are scaled
 * @throws Error when two groups have a parameter of the same name
 */
export async function createOptimizer(
  groups: readonly ParameterGroup[],
  session: SessionOptions,
  lossScale?: LossScale,
): Promise<Optimizer> {
  return assemble(async (own, release) => {
    const parts: (ParameterGroup & { readonly adamW: AdamW })[] = [];
    for (const group of groups) parts.push({ ...group, adamW: own(await createAdamW(group.start, session)) });
    const all = (of: (adamW: AdamW) => ReadonlyMap<string, Float32Tensor>) =>
      union(parts.map(({ adamW }) => of(adamW)));
    const optimizer: Optimizer = {
      lossScale,
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
      async step({ rate = 1, count = 1 } = {}) {
        const { lossScale: scaled } = optimizer;
        const scale = (scaled?.factor ?? 1) * count;
        const norms: number[] = [];
        for (const { adamW } of parts) norms.push(await adamW.gradNorm());
        const norm = together(norms) / scale;
        const shared = together(norms.filter((_, i) => parts[i].isClippedTogether === true));
        if (scaled !== undefined) {
          const isFinite = Number.isFinite(norm);
          optimizer.lossScale = nextLossScale(scaled, isFinite);
          if (!isFinite) return norm;
        }
        for (const [i, { adamW, learningRate, weightDecay, maxGradNorm, isClippedTogether }] of parts.entries()) {
          const clipped = isClippedTogether === true ? shared : norms[i];
          await adamW.update(clipped, { learningRate: learningRate * rate, weightDecay, maxGradNorm, scale });
        }
        return norm;
      },
      release,
    };
    return optimizer;
  });
}

/** The norm of several gradients as one. */
function together(norms: readonly number[]): number {
  return norms.length === 1 ? norms[0] : Math.hypot(...norms);
}

function union(maps: readonly ReadonlyMap<string, Float32Tensor>[]): ReadonlyMap<string, Float32Tensor> {
  const all = new Map(maps.flatMap((map) => [...map]));
  if (all.size !== maps.reduce((sum, { size }) => sum + size, 0))
    throw new Error("two groups of parameters have one of the same name");
  return all;
}
