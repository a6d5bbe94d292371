import { add, logSigmoid, mean, mul, sub } from "../../graph/ops/index.ts";
import type { TrainSettings } from "../../settings/train-settings.ts";
import { squaredErrors, type Pass } from "../../training/denoising.ts";
import type { Losses, ObjectiveScope } from "../../training/objective-scope.ts";
import { photoPass } from "../../training/photo-loss.ts";

/**
 * The RPO objective (Miao et al., arXiv 2407.12164, Eq. 8), with e(x, t, c) the mean squared error of the prediction and e₀ that of
 * the frozen start:
 *
 *     L_sim  = e(x_ref, t, "a photo of [V] dog")
 *     margin = (e₀ - e)(x_ref, t, c_ref) - (e₀ - e)(x_gen, t, c_mod)
 *     L_pref = -[ y log σ(β margin) + (1 - y) log σ(-β margin) ]
 *     L      = L_sim + L_pref, averaged over the pairs
 *
 * x_ref are the photos, x_gen the starting model's own pictures of the modifier prompts c_mod; a pair shares its timestep. c_ref is c_mod
 * as in the paper, or the plain prompt as in the authors' script, which then needs no pass of its own. y is 1 where the photo is preferred;
 * soft labels lie between. Without preference L_sim alone is left: DreamBooth without its prior.
 */
export function objective(
  scope: ObjectiveScope,
  { condition, beta, preference }: Pick<TrainSettings, "condition" | "beta" | "preference">,
): Losses {
  const photo = photoPass(scope);
  if (!preference) {
    const sim = mean(squaredErrors(scope.policy, [photo])[0]);
    return { loss: sim, sim };
  }
  const modifier = scope.text("modifier");
  const label = scope.numbers("label");
  const pair: Pass[] = [
    condition === "modifier" ? { ...photo, text: modifier } : photo,
    { pictures: scope.pictures("gen"), timestep: photo.timestep, text: modifier },
  ];
  const [refStart, genStart] = squaredErrors(scope.start, pair);
  const errors = squaredErrors(scope.policy, condition === "modifier" ? [photo, ...pair] : pair);
  const [refError, genError] = errors.slice(-2);

  const margin = sub(sub(refStart, refError), sub(genStart, genError));
  const scaled = mul(margin, beta);
  // log σ(-x) = log σ(x) - x, so that -[y log σ(x) + (1 - y) log σ(-x)] = (1 - y) x - log σ(x)
  const pref = mean(sub(mul(sub(1, label), scaled), logSigmoid(scaled)));
  const sim = mean(errors[0]);
  return { loss: add(sim, pref), sim, pref, margin };
}
