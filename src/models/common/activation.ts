import { z } from "zod";
import type { Value } from "../../graph/graph.ts";
import { gelu, relu, swish } from "../../graph/ops/index.ts";

/** Activations by the names that configs give them: transformers' ACT2FN. */
const ACTIVATIONS = {
  gelu,
  quick_gelu: (x: Value) => swish(x, 1.702),
  silu: (x: Value) => swish(x),
  swish: (x: Value) => swish(x),
  relu,
} as const;

export type Activation = keyof typeof ACTIVATIONS;

const names = Object.keys(ACTIVATIONS) as [Activation, ...Activation[]];

export const activation = z.enum(names, { error: `this activation is not supported, only ${names.join(", ")}` });

export function activate(name: Activation, x: Value): Value {
  return ACTIVATIONS[name](x);
}
