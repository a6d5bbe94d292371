import type { Value } from "../../graph/graph.ts";
import { gelu, relu, swish } from "../../graph/ops/index.ts";
import type { Activation } from "./activation-names.ts";

const ACTIVATIONS: Readonly<Record<Activation, (x: Value) => Value>> = {
  gelu,
  quick_gelu: (x) => swish(x, 1.702),
  silu: (x) => swish(x),
  swish: (x) => swish(x),
  relu,
};

export function activate(name: Activation, x: Value): Value {
  return ACTIVATIONS[name](x);
}
