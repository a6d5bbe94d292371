import type { Adapter, Scope } from "./scope.ts";
import { join } from "./scope.ts";

/** LoRA (Hu et al., arXiv 2106.09685): y = W x + (alpha / rank) · B A x with A [rank, in] and B [out, rank], B zero at the start. */
export interface LoraConfig {
  readonly rank: number;
  readonly alpha: number;
  /** Linear layers to adapt: the ends of their names, such as "to_q" or "to_out.0". */
  readonly targets: readonly string[];
}

/** The attention projections, as diffusers' scripts adapt them. */
export const ATTENTION_TARGETS = ["to_q", "to_k", "to_v", "to_out.0"] as const;

/** A scope whose targeted linear layers carry an adapter, named `<layer>.lora_A.weight` and `<layer>.lora_B.weight` as PEFT does. */
export function withLora(scope: Scope, config: LoraConfig): Scope {
  return {
    graph: scope.graph,
    path: scope.path,
    at: (...names) => withLora(scope.at(...names), config),
    parameter: (name, shape) => scope.parameter(name, shape),
    adapter(inFeatures, outFeatures): Adapter | undefined {
      if (!isTarget(scope.path, config.targets)) return undefined;
      return {
        down: scope.graph.parameter(join(scope.path, "lora_A.weight"), [config.rank, inFeatures]),
        up: scope.graph.parameter(join(scope.path, "lora_B.weight"), [outFeatures, config.rank]),
        scale: config.alpha / config.rank,
      };
    },
  };
}

/** Whether a layer's name ends in one of the targets, whole names only. */
export function isTarget(path: string, targets: readonly string[]): boolean {
  return targets.some((target) => path === target || path.endsWith(`.${target}`));
}
