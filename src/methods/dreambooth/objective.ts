import { add, mean, mul } from "../../graph/ops/index.ts";
import type { TrainSettings } from "../../settings/train-settings.ts";
import { squaredErrors } from "../../training/denoising.ts";
import type { Losses, ObjectiveScope } from "../../training/objective-scope.ts";
import { photoLoss, photoPass } from "../../training/photo-loss.ts";
import { classPass } from "../class-feeds.ts";

/**
 * DreamBooth's loss with prior preservation (Ruiz et al., arXiv 2208.12242, Eq. 2), with e(x, t, c) the mean squared error of the prediction:
 *
 *     L_sim   = e(x_ref, t, "a photo of [V] dog")
 *     L_prior = e(x_class, t', "a photo of dog")
 *     L       = L_sim + weight · L_prior
 *
 * x_class are the starting model's own pictures of the class. Each has a timestep and a noise of its own, and one run of the model serves
 * both, as in diffusers' script.
 */
export function objective(scope: ObjectiveScope, { priorWeight }: Pick<TrainSettings, "priorWeight">): Losses {
  const photo = photoPass(scope);
  if (priorWeight === 0) {
    const sim = photoLoss(scope, squaredErrors(scope.policy, [photo])[0]);
    return { loss: sim, sim };
  }
  const [errors, priorErrors] = squaredErrors(scope.policy, [photo, classPass(scope)]);
  const [sim, prior] = [photoLoss(scope, errors), mean(priorErrors)];
  return { loss: add(sim, mul(prior, priorWeight)), sim, prior };
}
