import { add, div, mul, sign, sqrt, sub } from "../graph/ops/index.ts";
import { assemble } from "../runtime/resources.ts";
import { inFloat32, type SessionOptions } from "../runtime/session-options.ts";
import { createArena } from "../tensor/arena.ts";
import type { Float32Tensor, Shape } from "../tensor/tensor.ts";
import { CHUNK, createEngine } from "./arena-engine.ts";
import { constant, type Pass } from "./arena-pass.ts";
import type { Distance, OptimizerPart } from "./kept-state.ts";

/**
 * Prodigy (Mishchenko and Defazio, arXiv 2306.06101), as the authors' package `prodigyopt` computes it: Adam whose rate is d, an estimate of how far
 * the weights that are sought lie from the first ones. All parameters of all groups have one d.
 */

/** The first estimate d₀. */
const D0 = 1e-6;

export const FIRST_DISTANCE: Distance = { d: D0, largest: D0, numerator: 0, updates: 0 };

export interface ProdigyOptions {
  /** Times which the estimate counts. Default: 1. */
  readonly dCoef?: number;
  /** By how much d may grow in a step. Default: as much as it likes. */
  readonly growthRate?: number;
  /** Whether Adam's bias is corrected. Default: yes, other than the package's. */
  readonly useBiasCorrection?: boolean;
  /** Whether the rate of a warm-up is left out of the denominator. Default: yes, other than the package's. */
  readonly safeguardWarmup?: boolean;
}

/** Parameters, gradients, first and second moments, the weighted sum of gradients, and where the parameters began. */
type Kind = "p" | "g" | "m" | "v" | "s" | "o";

const BETA1 = 0.9;
const BETA2 = 0.999;
const BETA3 = Math.sqrt(BETA2);
const EPSILON = 1e-8;

/** Moments and sums from the gradients, with c the factor that clips g and takes back its scale. */
const GATHER: Pass<Kind> = ({ p, g, m, v, s, o }) => {
  const scalar = (name: string) => constant(p, name);
  // m = β₁ m + d (1 - β₁) c g
  const first = add(mul(m, scalar("beta1")), mul(g, scalar("rest1")));
  // v = β₂ v + d² (1 - β₂) c² g²
  const second = add(mul(v, scalar("beta2")), mul(mul(g, g), scalar("rest2")));
  // s = β₃ s + (d / d₀) d c g
  const weighted = add(mul(s, scalar("beta3")), mul(g, scalar("rest3")));
  return {
    written: { m: first, v: second, s: weighted },
    // Σ g (p₀ - p) and Σ |s|
    summed: { progress: mul(g, sub(o, p)), size: mul(weighted, sign(weighted)) },
  };
};

/** p = (1 - d lr λ) p - d lr m / (√v + d' ε), where d' is the estimate that has just been made and d the one before. */
const UPDATE: Pass<Kind> = ({ p, m, v }) => {
  const scalar = (name: string) => constant(p, name);
  const fraction = div(mul(m, scalar("rate")), add(sqrt(v), scalar("epsilon")));
  return { written: { p: sub(mul(p, scalar("decay")), fraction) } };
};

/** A group's weights with what Prodigy keeps beside them. */
export interface ProdigyPart extends OptimizerPart {
  run(
    pass: "gather" | "update",
    constants: Readonly<Record<string, number>>,
  ): Promise<Readonly<Record<string, number>>>;
}

/** @param initial the weights to start from, from which the distance is measured; they are copied */
export function createProdigyPart(
  initial: ReadonlyMap<string, Float32Tensor>,
  session: SessionOptions,
): Promise<ProdigyPart> {
  const shapes = new Map<string, Shape>([...initial].map(([name, { shape }]) => [name, shape]));
  const [p, g, m, v, s, o] = Array.from({ length: 6 }, () => createArena(shapes, CHUNK));
  for (const { tensors } of [p, o]) for (const [name, { data }] of initial) tensors.get(name)?.data.set(data);
  return assemble(async (own, release) => {
    const passes = { gather: GATHER, update: UPDATE };
    const engine = own(
      await createEngine<Kind, "gather" | "update">(
        { p, g, m, v, s, o },
        passes,
        ["p", "m", "v", "s"],
        inFloat32(session),
      ),
    );
    return {
      parameters: p.tensors,
      gradients: g.tensors,
      moments: { first: m.tensors, second: v.tensors, weighted: s.tensors },
      fetch: () => engine.fetch(),
      send: () => engine.send(),
      gradNorm: async () => Math.sqrt(await engine.squares()),
      run: (pass, constants) => engine.run(pass, constants),
      release,
    };
  });
}

/** What a step does to one group. */
export interface ProdigyUpdate {
  readonly part: ProdigyPart;
  /** What the gradients are multiplied by, so that they are clipped and of their own scale. */
  readonly clip: number;
  readonly weightDecay?: number | undefined;
}

/**
 * Updates the parameters of all groups in place.
 * @param learningRate times which d counts as the rate: 1 but for a schedule's; at 0 nothing is done at all
 * @returns what is known of the distance after it
 */
export async function stepProdigy(
  updates: readonly ProdigyUpdate[],
  distance: Distance,
  learningRate: number,
  options: ProdigyOptions = {},
): Promise<Distance> {
  if (learningRate === 0) return distance;
  const { dCoef = 1, growthRate = Infinity, useBiasCorrection = true, safeguardWarmup = true } = options;
  const { d } = distance;
  const next = distance.updates + 1;
  const correction = useBiasCorrection ? Math.sqrt(1 - BETA2 ** next) / (1 - BETA1 ** next) : 1;
  const rate = d * learningRate * correction;
  let numerator = BETA3 * distance.numerator;
  let denominator = 0;
  for (const { part, clip } of updates) {
    const { progress, size } = await part.run("gather", {
      ...{ beta1: BETA1, beta2: BETA2, beta3: BETA3 },
      rest1: d * (1 - BETA1) * clip,
      rest2: d * d * (1 - BETA2) * clip * clip,
      rest3: (d / D0) * (safeguardWarmup ? d : rate) * clip,
    });
    numerator += (d / D0) * rate * clip * progress;
    denominator += size;
  }
  if (denominator === 0) return distance;
  const estimate = (dCoef * numerator) / denominator;
  const largest = Math.max(distance.largest, estimate);
  const grown = Math.min(largest, (d === D0 ? Math.max(d, estimate) : d) * growthRate);
  for (const { part, weightDecay = 1e-2 } of updates)
    await part.run("update", { rate, decay: 1 - rate * weightDecay, epsilon: grown * EPSILON });
  return { d: grown, largest, numerator, updates: next };
}
