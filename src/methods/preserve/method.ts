import { add, mul } from "../../graph/ops/index.ts";
import { squaredErrors } from "../../training/denoising.ts";
import type { Method } from "../../training/method.ts";
import { photoFeeds, photoLoss, photoPass } from "../../training/photo-loss.ts";

/**
 * Preserve and Personalize (Kim et al., ICLR 2026, arXiv 2505.19519): fine-tuning on the photos that is pulled back to the starting model,
 *
 *     L = L_sim + weight · ‖θ - θ₀‖²
 *
 * over the weights of the model: of a LoRA, over what it adds to them, (alpha / rank) B A. No class pictures are needed.
 */
export const method: Method = {
  objective(scope, { preserveWeight }) {
    const sim = photoLoss(scope, squaredErrors(scope.policy, [photoPass(scope)])[0]);
    const distance = scope.displacement();
    return { loss: add(sim, mul(distance, preserveWeight)), sim, distance };
  },
  feeds: photoFeeds,
};
