import { add, div, mul, sqrt, sub } from "../graph/ops/index.ts";
import { inFloat32, type SessionOptions } from "../runtime/session-options.ts";
import { assemble } from "../runtime/resources.ts";
import { createArena } from "../tensor/arena.ts";
import type { Float32Tensor, Shape } from "../tensor/tensor.ts";
import { CHUNK, createEngine } from "./arena-engine.ts";
import { constant, type Pass } from "./arena-pass.ts";
import type { OptimizerPart, OptimizerState } from "./kept-state.ts";

export interface AdamWOptions {
  readonly learningRate: number;
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
  readonly weightDecay?: number | undefined;
  /** Gradients are scaled down to this global norm when theirs is larger. */
  readonly maxGradNorm?: number | undefined;
  /** What the gradients are times of what they should be. Default: 1. */
  readonly scale?: number | undefined;
}

export interface AdamW extends OptimizerPart, OptimizerState {
  /** Updates the parameters in place, by gradients of this norm. */
  update(norm: number, options: AdamWOptions): Promise<void>;
  /** {@link AdamW.gradNorm} and {@link AdamW.update}. @returns the gradients' global norm before clipping */
  step(options: AdamWOptions): Promise<number>;
}

/** Of a group whose gradients no norm limits. */
export const UNCLIPPED = Number.MAX_VALUE;

/** What gradients of a norm are multiplied by so that it is at most so large, as by `torch.nn.utils.clip_grad_norm_`. */
export function clipOf(norm: number, maxGradNorm = 1): number {
  return Math.min(1, maxGradNorm / (norm + 1e-6));
}

/** Parameters, gradients, first and second moments. */
type Kind = "p" | "g" | "m" | "v";

const UPDATE: Pass<Kind> = ({ p, g, m, v }) => {
  const scalar = (name: string) => constant(p, name);
  // with c the factor that clips g, and takes back its scale: m = β₁ m + (1 - β₁) c g
  const first = add(mul(m, scalar("beta1")), mul(g, scalar("rest1")));
  // v = β₂ v + (1 - β₂) c² g²
  const second = add(mul(v, scalar("beta2")), mul(mul(g, g), scalar("rest2")));
  // p = (1 - lr λ) p - lr m̂ / (√v̂ + ε), m̂ = m / (1 - β₁ᵗ), v̂ = v / (1 - β₂ᵗ); all of the fraction is taken times √(1 - β₂ᵗ)
  const fraction = div(mul(first, scalar("rate")), add(sqrt(second), scalar("epsilon")));
  return { written: { p: sub(mul(p, scalar("decay")), fraction), m: first, v: second } };
};

/**
 * AdamW (Loshchilov and Hutter, arXiv 1711.05101) as PyTorch computes it, with the gradient's global norm clipped first.
 *
 * @param initial the weights to start from; they are copied
 */
export async function createAdamW(
  initial: ReadonlyMap<string, Float32Tensor>,
  session: SessionOptions,
): Promise<AdamW> {
  const shapes = new Map<string, Shape>([...initial].map(([name, { shape }]) => [name, shape]));
  const [parameters, gradients, first, second] = Array.from({ length: 4 }, () => createArena(shapes, CHUNK));
  for (const [name, { data }] of initial) parameters.tensors.get(name)?.data.set(data);
  return assemble(async (own, release) => {
    const engine = own(
      await createEngine<Kind, "update">(
        { p: parameters, g: gradients, m: first, v: second },
        { update: UPDATE },
        ["p", "m", "v"],
        inFloat32(session),
      ),
    );
    const optimizer: AdamW = {
      parameters: parameters.tensors,
      gradients: gradients.tensors,
      moments: { first: first.tensors, second: second.tensors },
      fetch: () => engine.fetch(),
      send: () => engine.send(),
      stepCount: 0,
      gradNorm: async () => Math.sqrt(await engine.squares()),
      async update(scaledNorm, options) {
        const { learningRate, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 1e-2 } = options;
        const { maxGradNorm, scale = 1 } = options;
        const norm = scaledNorm / scale;
        optimizer.stepCount++;
        const clip = clipOf(norm, maxGradNorm) / scale;
        const correction = Math.sqrt(1 - beta2 ** optimizer.stepCount);
        await engine.run("update", {
          beta1,
          beta2,
          rest1: (1 - beta1) * clip,
          rest2: (1 - beta2) * clip * clip,
          decay: 1 - learningRate * weightDecay,
          rate: (learningRate * correction) / (1 - beta1 ** optimizer.stepCount),
          epsilon: epsilon * correction,
        });
      },
      async step(options) {
        const norm = await optimizer.gradNorm();
        await optimizer.update(norm, options);
        return norm / (options.scale ?? 1);
      },
      release,
    };
    return optimizer;
  });
}
