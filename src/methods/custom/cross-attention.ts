import { writeCrossAttention } from "../../checkpoints/cross-attention.ts";
import { concat, detach, slice } from "../../graph/ops/index.ts";
import type { Value } from "../../graph/graph.ts";
import { isTarget } from "../../nn/lora.ts";
import type { Scope } from "../../nn/scope.ts";
import type { TrainSettings } from "../../settings/train-settings.ts";
import type { Weight } from "../../tensor/tensor.ts";
import { trainWeights, type Trainable } from "../../training/trainable.ts";

const KEYS_AND_VALUES = ["attn2.to_k", "attn2.to_v"] as const;

/** Keys and values of the attention to texts, of which those of the first token learn nothing. */
export function trainCrossAttention(
  weights: ReadonlyMap<string, Weight>,
  { learningRate }: Pick<TrainSettings, "learningRate">,
): Trainable {
  const isTrained = (name: string) => isTarget(name.replace(/\.weight$/, ""), KEYS_AND_VALUES);
  const trainable = trainWeights(weights, { learningRate }, isTrained);
  return {
    ...trainable,
    policy: (base) => withFirstDetached(trainable.policy(base)),
    write: writeCrossAttention,
  };
}

/** A U-Net whose keys and values of each text's first token, its start, let no gradient through. */
function withFirstDetached(scope: Scope): Scope {
  return {
    ...scope,
    at: (...names) => withFirstDetached(scope.at(...names)),
    ...(isTarget(scope.path, KEYS_AND_VALUES) && { output: firstDetached }),
  };
}

/** [B, L, F] as it is; no gradient goes through what is of the first of the L. */
function firstDetached(y: Value): Value {
  const [, length] = y.shape;
  return concat([detach(slice(y, 1, 0, 1)), slice(y, 1, 1, length)], 1);
}
