import { add, logSigmoid, mean, mul, relu, sub } from "../../graph/ops/index.ts";
import type { Value } from "../../graph/graph.ts";
import type { TrainSettings } from "../../settings/train-settings.ts";
import { squaredErrors, type Pass } from "../../training/denoising.ts";
import type { Losses, ObjectiveScope } from "../../training/objective-scope.ts";
import { photoLoss, photoPass } from "../../training/photo-loss.ts";

type ObjectiveSettings = Pick<TrainSettings, "condition" | "beta" | "preference"> &
  Partial<Pick<TrainSettings, "preferenceWeight" | "photoFloor">>;

/**
 * The RPO objective (Miao et al., arXiv 2407.12164, Eq. 8), with e(x, t, c) the mean squared error of the prediction and e₀ that of
 * the frozen start:
 *
 *     L_sim  = e(x_ref, t, "a photo of [V] dog")
 *     margin = (e₀ - e)(x_ref, t, c_ref) - (e₀ - e)(x_gen, t, c_mod)
 *     L_pref = -[ y log σ(β margin) + (1 - y) log σ(-β margin) ]
 *     L      = L_sim + weight · L_pref + floor · max(0, (e - e₀)(x_ref, t, c_ref)), averaged over the pairs
 *
 * x_ref are the photos, x_gen the starting model's own pictures of the modifier prompts c_mod; a pair shares its timestep. c_ref is c_mod
 * as in the paper, or the plain prompt as in the authors' script, which then needs no pass of its own. y is 1 where the photo is preferred;
 * soft labels lie between. Without preference L_sim alone is left: DreamBooth without its prior. The paper's weight is 1, and its floor 0: a
 * margin can be kept low by denoising the photo worse than at the start, which a floor makes dear.
 */
export function objective(
  scope: ObjectiveScope,
  { condition, beta, preference, preferenceWeight = 1, photoFloor = 0 }: ObjectiveSettings,
): Losses {
  const photo = photoPass(scope);
  if (!preference) {
    const sim = photoLoss(scope, squaredErrors(scope.policy, [photo])[0]);
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
  const sim = photoLoss(scope, errors[0]);
  const loss = add(sim, weighted(pref, preferenceWeight));
  if (photoFloor === 0) return { loss, sim, pref, margin };
  const floor = mean(relu(sub(refError, refStart)));
  return { loss: add(loss, mul(floor, photoFloor)), sim, pref, margin, floor };
}

/** 1 · x is x, to the last bit: no operation. */
function weighted(x: Value, weight: number): Value {
  return weight === 1 ? x : mul(x, weight);
}
