import type { Value } from "../graph/graph.ts";
import { add, logSigmoid, mean, mul, neg, relu } from "../graph/ops/index.ts";
import type { TrainSettings } from "../settings/train-settings.ts";
import type { ObjectiveScope } from "../training/objective-scope.ts";

/** How much a pair is preferred as it should be, [B] each. */
interface Pair {
  readonly margin: Value;
  /** e - e₀ of the preferred picture. */
  readonly rise: Value;
}

/** The mean of -log σ(β margin) + floor · max(0, rise), over the pairs that are fed 1 as "own.use". */
export function preferred(
  scope: ObjectiveScope,
  { margin, rise }: Pair,
  { roundBeta, roundFloor }: Pick<TrainSettings, "roundBeta" | "roundFloor">,
): Value {
  const decided = neg(logSigmoid(mul(margin, roundBeta)));
  const cost = roundFloor === 0 ? decided : add(decided, mul(relu(rise), roundFloor));
  return mean(mul(scope.numbers("own.use"), cost));
}
