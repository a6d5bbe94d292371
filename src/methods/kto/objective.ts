import { add, mean, mul, sigmoid, sub } from "../../graph/ops/index.ts";
import type { TrainSettings } from "../../settings/train-settings.ts";
import { squaredErrors } from "../../training/denoising.ts";
import type { Losses, ObjectiveScope } from "../../training/objective-scope.ts";
import { photoLoss, photoPass } from "../../training/photo-loss.ts";
import { ownPass, referenceErrors } from "../own-pictures.ts";

/**
 * Diffusion-KTO (Li et al., NeurIPS 2024, arXiv 2404.04465, Eq. 9 with the sigmoid of Kahneman and Tversky) on single pictures of the model's
 * own, beside the photos:
 *
 *     L_sim = e(x_ref, t, "a photo of [V] dog")
 *     gain  = (e₀ - e)(x, t', c)
 *     L_kto = 1 - σ(±β (gain - z))          + for a liked picture, - for another
 *     L     = L_sim + weight · L_kto
 *
 * z, the mean gain of a batch in the paper's code, is 0: a step has one picture.
 */
export function objective(
  scope: ObjectiveScope,
  settings: Pick<TrainSettings, "roundBeta" | "roundWeight" | "roundReference">,
): Losses {
  const own = ownPass(scope);
  const [photo, error] = squaredErrors(scope.policy, [photoPass(scope), own]);
  const start = referenceErrors(scope, { error: own }, settings);
  const gain = sub(start.error, error);
  const signed = mul(mul(scope.numbers("own.sign"), gain), settings.roundBeta);
  const kto = mean(mul(scope.numbers("own.use"), sub(1, sigmoid(signed))));
  const sim = photoLoss(scope, photo);
  return { loss: add(sim, mul(kto, settings.roundWeight)), sim, kto, gain, error };
}
