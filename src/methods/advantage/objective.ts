import { add, exp, mean, mul, neg, relu, sub } from "../../graph/ops/index.ts";
import type { Value } from "../../graph/graph.ts";
import type { TrainSettings } from "../../settings/train-settings.ts";
import { squaredErrors } from "../../training/denoising.ts";
import type { Losses, ObjectiveScope } from "../../training/objective-scope.ts";
import { photoLoss, photoPass } from "../../training/photo-loss.ts";
import { ownPass, referenceErrors } from "../own-pictures.ts";

/**
 * The model's own pictures by their advantages A, beside the photos:
 *
 *     L_sim = e(x_ref, t, "a photo of [V] dog")
 *     ρ     = exp(β (e₀ - e)(x, t', c))
 *     L_adv = -min(ρ A, clip(ρ, 1 - ε, 1 + ε) A)
 *     L     = L_sim + weight · L_adv
 *
 * A is shaped as in Customized-GRPO (Huang et al., 2025, arXiv 2510.18263). What is simplified: that trains each step of the sampler by the
 * likelihood of the move it made; here, as in flow policy optimization (McAllister et al., 2025, arXiv 2507.21053), the ratio of likelihoods is
 * that of the denoising errors on the finished picture, at one timestep and one noise, and there is no KL term but the photos' loss.
 */
export function objective(
  scope: ObjectiveScope,
  settings: Pick<TrainSettings, "roundBeta" | "roundWeight" | "roundReference" | "ratioClip">,
): Losses {
  const own = ownPass(scope);
  const advantage = scope.numbers("own.advantage");
  const [photo, error] = squaredErrors(scope.policy, [photoPass(scope), own]);
  const start = referenceErrors(scope, { error: own }, settings);
  const ratio = exp(mul(sub(start.error, error), settings.roundBeta));
  const clipped = clip(ratio, 1 - settings.ratioClip, 1 + settings.ratioClip);
  const adv = mean(neg(minimum(mul(ratio, advantage), mul(clipped, advantage))));
  const sim = photoLoss(scope, photo);
  return { loss: add(sim, mul(adv, settings.roundWeight)), sim, adv, ratio, error };
}

/** min(a, b) = a - max(a - b, 0) */
function minimum(a: Value, b: Value): Value {
  return sub(a, relu(sub(a, b)));
}

/** low + max(x - low, 0) - max(x - high, 0) */
function clip(x: Value, low: number, high: number): Value {
  return add(low, sub(relu(sub(x, low)), relu(sub(x, high))));
}
