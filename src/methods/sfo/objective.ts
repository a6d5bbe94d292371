import { add, mul, sub } from "../../graph/ops/index.ts";
import type { TrainSettings } from "../../settings/train-settings.ts";
import { squaredErrors, type Pass } from "../../training/denoising.ts";
import type { Losses, ObjectiveScope } from "../../training/objective-scope.ts";
import { photoLoss, photoPass } from "../../training/photo-loss.ts";
import { referenceErrors } from "../own-pictures.ts";
import { preferred } from "../preferred.ts";

/**
 * Subject fidelity optimization (Shin et al., 2025, arXiv 2506.03621), beside the photos:
 *
 *     L_sim  = e(x_ref, t, "a photo of [V] dog")
 *     margin = (e₀ - e)(x⁺, t', c) - (e₀ - e)(x⁻, t', c)
 *     L_sfo  = -log σ(β margin)
 *     L      = L_sim + weight · (L_sfo + floor · max(0, (e - e₀)(x⁺, t', c)))
 *
 * x⁻ is the model's own picture of a prompt that lacks something of c (condition-degradation negative sampling), x⁺ its own picture of c
 * itself, or with `positives: photos` the photo, c being its prompt. What is simplified: timesteps are drawn as always, without more of the middle ones.
 */
export function objective(
  scope: ObjectiveScope,
  settings: Pick<TrainSettings, "roundBeta" | "roundWeight" | "roundReference" | "roundFloor" | "positives">,
): Losses {
  const photo = photoPass(scope);
  const ofPhotos = settings.positives === "photos";
  const common = ofPhotos ? photo : { timestep: scope.numbers("own.timestep"), text: scope.text("own.prompt") };
  const positive: Pass = ofPhotos ? photo : { ...common, pictures: scope.pictures("positive") };
  const negative: Pass = { ...common, mask: undefined, pictures: scope.pictures("negative") };

  const errors = squaredErrors(scope.policy, ofPhotos ? [positive, negative] : [photo, positive, negative]);
  const [whole, degraded] = errors.slice(-2);
  const start = referenceErrors(scope, { whole: positive, degraded: negative }, settings);
  const margin = sub(sub(start.whole, whole), sub(start.degraded, degraded));
  const pref = preferred(scope, { margin, rise: sub(whole, start.whole) }, settings);
  const sim = photoLoss(scope, errors[0]);
  return { loss: add(sim, mul(pref, settings.roundWeight)), sim, pref, margin, whole, degraded };
}
