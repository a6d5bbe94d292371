import { inFloat32, type SessionOptions } from "../runtime/session-options.ts";
import { assemble } from "../runtime/resources.ts";
import { createArena } from "../tensor/arena.ts";
import { float32, type Float32Tensor, type Shape } from "../tensor/tensor.ts";
import { CHUNK, createEngine } from "./adamw-engine.ts";
import type { LossScale } from "./loss-scale.ts";

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

/** Trained weights and what is saved with them. */
export interface OptimizerState {
  readonly parameters: ReadonlyMap<string, Float32Tensor>;
  /** First and second moments: the state to save. */
  readonly moments: {
    readonly first: ReadonlyMap<string, Float32Tensor>;
    readonly second: ReadonlyMap<string, Float32Tensor>;
  };
  /** Brings parameters and moments to the host's arrays, from which they can be saved. Nothing to do on a CPU. */
  fetch(): Promise<void>;
  /** Sends what was put into the host's arrays to where the steps are made. Nothing to do on a CPU. */
  send(): Promise<void>;
  /** Steps taken so far, without those that were passed over; set when resuming. */
  stepCount: number;
  /** Of the gradients that the next step takes; absent where they are those of the loss itself. Set when resuming. */
  lossScale?: LossScale | undefined;
}

/** Trained weights with their gradients and moments, each kind in an arena of one layout. */
export interface AdamW extends OptimizerState {
  /** Where a step's gradients are to be written before {@link AdamW.step}. */
  readonly gradients: ReadonlyMap<string, Float32Tensor>;
  /** The gradients' global norm; infinite or no number where one of them is. */
  gradNorm(): Promise<number>;
  /** Updates the parameters in place, by gradients of this norm. */
  update(norm: number, options: AdamWOptions): Promise<void>;
  /** {@link AdamW.gradNorm} and {@link AdamW.update}. @returns the gradients' global norm before clipping */
  step(options: AdamWOptions): Promise<number>;
  release(): Promise<void>;
}

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
    const engine = own(await createEngine({ p: parameters, g: gradients, m: first, v: second }, inFloat32(session)));
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
        const { maxGradNorm = 1, scale = 1 } = options;
        const norm = scaledNorm / scale;
        optimizer.stepCount++;
        // torch.nn.utils.clip_grad_norm_
        const clip = Math.min(1, maxGradNorm / (norm + 1e-6)) / scale;
        const correction = Math.sqrt(1 - beta2 ** optimizer.stepCount);
        const scalar = (x: number) => float32([x], []);
        await engine.update({
          beta1: scalar(beta1),
          beta2: scalar(beta2),
          rest1: scalar((1 - beta1) * clip),
          rest2: scalar((1 - beta2) * clip * clip),
          decay: scalar(1 - learningRate * weightDecay),
          rate: scalar((learningRate * correction) / (1 - beta1 ** optimizer.stepCount)),
          epsilon: scalar(epsilon * correction),
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
