import type { Graph } from "../graph/graph.ts";
import type { Random } from "../tensor/random.ts";
import { float32, zeros, type Float32Tensor } from "../tensor/tensor.ts";
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

/** The linear layers of the transformers' feed-forward parts. */
export const FEED_FORWARD_TARGETS = ["ff.net.0.proj", "ff.net.2"] as const;

/** The attention projections of CLIP's text model, as diffusers' scripts adapt them; kohya's adapt the feed-forward layers too. */
export const TEXT_TARGETS = ["q_proj", "k_proj", "v_proj", "out_proj"] as const;

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

/**
 * Where training begins, for every adapter that a graph names: A uniform in ±1/√in as PEFT draws it (Kaiming with a = √5), B zero,
 * so that the adapted model is the base model.
 */
export function initialLora(graph: Graph, rng: Random): Map<string, Float32Tensor> {
  const start = new Map<string, Float32Tensor>();
  for (const [name, { shape }] of graph.parameters) {
    if (name.endsWith(".lora_B.weight")) start.set(name, zeros(shape));
    if (!name.endsWith(".lora_A.weight")) continue;
    const draws = rng.split(name);
    const bound = 1 / Math.sqrt(shape[1]);
    start.set(
      name,
      float32(
        Array.from({ length: shape[0] * shape[1] }, () => (2 * draws.uniform() - 1) * bound),
        shape,
      ),
    );
  }
  return start;
}
