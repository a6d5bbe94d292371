import { add, mul, sub } from "../../graph/ops/index.ts";
import type { TrainSettings } from "../../settings/train-settings.ts";
import { squaredErrors } from "../../training/denoising.ts";
import type { Losses, ObjectiveScope } from "../../training/objective-scope.ts";
import { photoLoss, photoPass } from "../../training/photo-loss.ts";
import { referenceErrors } from "../own-pictures.ts";
import { preferred } from "../preferred.ts";

/**
 * Diffusion-DPO (Wallace et al., CVPR 2024, arXiv 2311.12908, Eq. 14) on pairs of the model's own pictures, beside the photos:
 *
 *     L_sim  = e(x_ref, t, "a photo of [V] dog")
 *     margin = (e₀ - e)(x_better, t', c) - (e₀ - e)(x_worse, t', c)
 *     L_dpo  = -log σ(β margin)
 *     L      = L_sim + weight · (L_dpo + floor · max(0, (e - e₀)(x_better, t', c)))
 *
 * Both pictures are of the same training prompt c, with one timestep and one noise. e₀ is the error of the starting model, or of the
 * model as it was when the pictures were drawn. The floor, 0 in the paper, keeps a margin from growing by both errors' rising, as DPO-Positive
 * does (Pal et al., 2024, arXiv 2402.13228).
 */
export function objective(
  scope: ObjectiveScope,
  settings: Pick<TrainSettings, "roundBeta" | "roundWeight" | "roundReference" | "roundFloor">,
): Losses {
  const common = { timestep: scope.numbers("own.timestep"), text: scope.text("own.prompt") };
  const pair = {
    better: { pictures: scope.pictures("better"), ...common },
    worse: { pictures: scope.pictures("worse"), ...common },
  };
  const [photo, better, worse] = squaredErrors(scope.policy, [photoPass(scope), pair.better, pair.worse]);
  const start = referenceErrors(scope, pair, settings);
  const margin = sub(sub(start.better, better), sub(start.worse, worse));
  const pref = preferred(scope, { margin, rise: sub(better, start.better) }, settings);
  const sim = photoLoss(scope, photo);
  return { loss: add(sim, mul(pref, settings.roundWeight)), sim, pref, margin, better, worse };
}
