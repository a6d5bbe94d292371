import { Graph } from "../graph/graph.ts";
import { add, div, matmul, mul, sqrt, sub, sum } from "../graph/ops/index.ts";
import { compile } from "../runtime/compile.ts";
import type { SessionOptions } from "../runtime/ort.ts";
import { assemble } from "../runtime/resources.ts";
import { createArena, type Arena } from "../tensor/arena.ts";
import { float32, type Float32Tensor, type Shape } from "../tensor/tensor.ts";

/** Elements that one run of the update's graph takes: its four arrays fit in the processor's cache together. */
const CHUNK = 2 ** 18;

/** Elements of one of the products whose sum is the gradients' norm. */
const ROW = 2 ** 14;

export interface AdamWOptions {
  readonly learningRate: number;
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
  readonly weightDecay?: number;
  /** Gradients are scaled down to this global norm when theirs is larger. */
  readonly maxGradNorm?: number;
}

/** Trained weights with their gradients and moments, each kind in an arena of one layout. */
export interface AdamW {
  readonly parameters: ReadonlyMap<string, Float32Tensor>;
  /** Where a step's gradients are to be written before {@link AdamW.step}. */
  readonly gradients: ReadonlyMap<string, Float32Tensor>;
  /** First and second moments: the state to save. */
  readonly moments: {
    readonly first: ReadonlyMap<string, Float32Tensor>;
    readonly second: ReadonlyMap<string, Float32Tensor>;
  };
  /** Steps taken so far; set when resuming. */
  stepCount: number;
  /** Updates the parameters in place. @returns the gradients' global norm before clipping */
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
    const squares = own(await compileSquares(gradients, session));
    const update = own(await compileUpdate(session));
    const optimizer: AdamW = {
      parameters: parameters.tensors,
      gradients: gradients.tensors,
      moments: { first: first.tensors, second: second.tensors },
      stepCount: 0,
      async step({ learningRate, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 1e-2, maxGradNorm = 1 }) {
        const norm = Math.sqrt((await squares.run({ g: rows(gradients) })).total.data[0]);
        optimizer.stepCount++;
        // torch.nn.utils.clip_grad_norm_
        const clip = Math.min(1, maxGradNorm / (norm + 1e-6));
        const correction = Math.sqrt(1 - beta2 ** optimizer.stepCount);
        const scalar = (x: number) => float32([x], []);
        const constants = {
          beta1: scalar(beta1),
          beta2: scalar(beta2),
          rest1: scalar((1 - beta1) * clip),
          rest2: scalar((1 - beta2) * clip * clip),
          decay: scalar(1 - learningRate * weightDecay),
          rate: scalar((learningRate * correction) / (1 - beta1 ** optimizer.stepCount)),
          epsilon: scalar(epsilon * correction),
        };
        const [ps, gs, ms, vs] = [parameters, gradients, first, second].map(chunks);
        for (const [i, p] of ps.entries())
          await update.run({ p, g: gs[i], m: ms[i], v: vs[i], ...constants }, { p, m: ms[i], v: vs[i] });
        return norm;
      },
      release,
    };
    return optimizer;
  });
}

function chunks({ flat }: Arena): Float32Tensor[] {
  return Array.from({ length: flat.length / CHUNK }, (_, i) => ({
    dtype: "float32",
    shape: [CHUNK],
    data: flat.subarray(i * CHUNK, (i + 1) * CHUNK),
  }));
}

/** The whole arena as a batch of rows, [rows, 1, ROW]. */
function rows({ flat }: Arena): Float32Tensor {
  return { dtype: "float32", shape: [flat.length / ROW, 1, ROW], data: flat };
}

/** Σ g² of all gradients, as products of rows with themselves: one pass without temporaries. */
function compileSquares(gradients: Arena, session: SessionOptions) {
  const graph = new Graph();
  const g = graph.input("g", rows(gradients).shape);
  return compile({ total: sum(matmul(g, g, { transB: true })) }, session);
}

/** One chunk's update; the outputs may be written over the inputs, for every element depends on its own alone. */
function compileUpdate(session: SessionOptions) {
  const graph = new Graph();
  const [p, g, m, v] = ["p", "g", "m", "v"].map((name) => graph.input(name, [CHUNK]));
  const scalar = (name: string) => graph.input(name, []);
  // with c the factor that clips g: m = β₁ m + (1 - β₁) c g
  const first = add(mul(m, scalar("beta1")), mul(g, scalar("rest1")));
  // v = β₂ v + (1 - β₂) c² g²
  const second = add(mul(v, scalar("beta2")), mul(mul(g, g), scalar("rest2")));
  // p = (1 - lr λ) p - lr m̂ / (√v̂ + ε), m̂ = m / (1 - β₁ᵗ), v̂ = v / (1 - β₂ᵗ); all of the fraction is taken times √(1 - β₂ᵗ)
  const fraction = div(mul(first, scalar("rate")), add(sqrt(second), scalar("epsilon")));
  const updated = sub(mul(p, scalar("decay")), fraction);
  return compile({ p: updated, m: first, v: second }, session);
}
