import { UNCLIPPED } from "../../nn/adamw.ts";
import { writeImageAdapter } from "../../checkpoints/image-adapter.ts";
import type { Value } from "../../graph/graph.ts";
import { add, div, mean, mul, relu, reshape, sqrt, sub, sum } from "../../graph/ops/index.ts";
import { imageAdapter, initialImageAdapter } from "../../models/common/image-adapter.ts";
import { join, rootScope } from "../../nn/scope.ts";
import type { TrainSettings } from "../../settings/train-settings.ts";
import { Random } from "../../tensor/random.ts";
import type { Float32Tensor } from "../../tensor/tensor.ts";
import { squaredErrors } from "../../training/denoising.ts";
import type { Method } from "../../training/method.ts";
import type { Losses, ObjectiveScope } from "../../training/objective-scope.ts";
import { photoFeeds, photoLoss, photoPass } from "../../training/photo-loss.ts";
import type { Beside } from "../../training/trainable.ts";

/** What the graph calls the image adapter's parameters, before their names in its file. */
const ADAPTER = "image_adapter";

/** Lengths below it count as it, as in PyTorch's `CosineSimilarity(eps=1e-6)` of the authors' script. */
const EPSILON = 1e-6;

/** The image adapter, which trains beside the model. */
function besideOf(
  {
    seed,
    learningRate,
    imageAdapterLearningRate = learningRate,
  }: Pick<TrainSettings, "seed" | "learningRate" | "imageAdapterLearningRate">,
  { crossAttentionDim }: { readonly crossAttentionDim: number },
): Beside {
  const begun = initialImageAdapter(crossAttentionDim, new Random(seed).split("image adapter"));
  const start = new Map([...begun].map(([name, tensor]) => [join(ADAPTER, name), tensor]));
  return {
    // the authors clip the LoRA alone
    group: { name: "image adapter", start, learningRate: imageAdapterLearningRate, maxGradNorm: UNCLIPPED },
    write: (folder, parameters) => writeImageAdapter(folder, ownNames(parameters)),
  };
}

function ownNames(parameters: ReadonlyMap<string, Float32Tensor>): Map<string, Float32Tensor> {
  return new Map([...parameters].map(([name, tensor]) => [name.slice(ADAPTER.length + 1), tensor]));
}

/**
 * DisenBooth's losses, with c the text's states [L, D], f what the image adapter makes of the photo's CLIP features, [D], and one noise and
 * timestep in both passes:
 *
 *     L_sim  = ‖ε - ε_θ(z_t, t, c + f)‖²               f is added to each of the L states
 *     L_weak = ‖ε - ε_θ(z_t, t, c)‖²
 *     cos    = cos(mean over L of c, f)
 *     L      = L_sim + weakWeight · L_weak + contrastWeight · cos
 */
function objective(scope: ObjectiveScope, settings: Pick<TrainSettings, "weakWeight" | "contrastWeight">): Losses {
  const photo = photoPass(scope);
  const { states } = photo.text;
  const f = imageAdapter(rootScope(states.graph).at(ADAPTER), scope.photoFeatures());
  const [batch, width] = f.shape;
  const both = { ...photo, text: { ...photo.text, states: add(states, reshape(f, [batch, 1, width])) } };
  const [whole, byText] = squaredErrors(scope.policy, [both, photo]);
  const [sim, weak] = [photoLoss(scope, whole), photoLoss(scope, byText)];
  const contrast = mean(cosines(mean(states, [1]), f));
  const beside = add(mul(weak, settings.weakWeight), mul(contrast, settings.contrastWeight));
  return { loss: add(sim, beside), sim, weak, contrast };
}

/** Cosines of the rows of two [B, D], [B]. */
function cosines(a: Value, b: Value): Value {
  const lengths = [a, b].map((x) => {
    const square = sum(mul(x, x), [1]);
    return sqrt(add(relu(sub(square, EPSILON ** 2)), EPSILON ** 2));
  });
  return div(sum(mul(a, b), [1]), mul(lengths[0], lengths[1]));
}

/**
 * DisenBooth (Chen et al., ICLR 2024, arXiv 2305.03374) as in its authors' `train_disenbooth.py`: what is in a photo but not of its subject is
 * explained by an embedding of that photo, so that the text need not. Where the authors read the photos as the VAE does, [-1, 1], the CLIP reads
 * them here as it was trained to, as theirs does when it draws.
 */
export const method: Method = {
  beside: besideOf,
  objective,
  feeds(step, context) {
    const { photo, feeds } = photoFeeds(step, context);
    return { photo, feeds };
  },
};
