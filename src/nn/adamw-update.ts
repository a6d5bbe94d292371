import type { Value } from "../graph/graph.ts";
import { add, div, mul, sqrt, sub } from "../graph/ops/index.ts";
import type { Arena } from "../tensor/arena.ts";
import type { Float32Tensor } from "../tensor/tensor.ts";
import type { Resource } from "../runtime/resources.ts";

/** Parameters, gradients, first and second moments. */
export type Kind = "p" | "g" | "m" | "v";
export type Arenas = Readonly<Record<Kind, Arena>>;

/** Elements that a device updates in one pass: many beside what starting a pass costs, few beside what its memory holds. */
export const PASS = 2 ** 24;

/** What changes from step to step. */
export type Constants = Readonly<
  Record<"beta1" | "beta2" | "rest1" | "rest2" | "decay" | "rate" | "epsilon", Float32Tensor>
>;

/** What does AdamW's arithmetic, where the tensors are. */
export interface AdamWEngine extends Resource {
  /** Σ g² of all gradients. */
  squares(): Promise<number>;
  /** p, m and v from themselves and g. */
  update(constants: Constants): Promise<void>;
  fetch(): Promise<void>;
  send(): Promise<void>;
}

/** The update's graph. Its outputs may be written over the inputs, for every element depends on its own alone. */
export function updateOf({ p, g, m, v }: Readonly<Record<Kind, Value>>): Record<"p" | "m" | "v", Value> {
  const scalar = (name: keyof Constants) => p.graph.input(name, []);
  // with c the factor that clips g, and takes back its scale: m = β₁ m + (1 - β₁) c g
  const first = add(mul(m, scalar("beta1")), mul(g, scalar("rest1")));
  // v = β₂ v + (1 - β₂) c² g²
  const second = add(mul(v, scalar("beta2")), mul(mul(g, g), scalar("rest2")));
  // p = (1 - lr λ) p - lr m̂ / (√v̂ + ε), m̂ = m / (1 - β₁ᵗ), v̂ = v / (1 - β₂ᵗ); all of the fraction is taken times √(1 - β₂ᵗ)
  const fraction = div(mul(first, scalar("rate")), add(sqrt(second), scalar("epsilon")));
  const updated = sub(mul(p, scalar("decay")), fraction);
  return { p: updated, m: first, v: second };
}
