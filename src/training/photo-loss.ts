import { mean, mul } from "../graph/ops/index.ts";
import type { Value } from "../graph/graph.ts";
import { float32 } from "../tensor/tensor.ts";
import type { Random } from "../tensor/random.ts";
import type { TrainingContext } from "./context.ts";
import type { Pass } from "./denoising.ts";
import { randomOfStep } from "./draws.ts";
import type { ObjectiveScope } from "./objective-scope.ts";
import type { TrainSettings } from "../settings/train-settings.ts";
import type { TrainedPhoto } from "./photos.ts";
import { minSnrWeight } from "./min-snr.ts";
import { drawTimestep, pictureFeeds, textFeeds } from "./picture-feeds.ts";
import type { Feeds } from "./trainer.ts";

/** What every method has in common: the denoising error on a photo, with the plain prompt, "a photo of [V] dog". */

/** A photo, for `squaredErrors`. */
export function photoPass(scope: ObjectiveScope): Pass {
  const { photoMask: mask } = scope;
  return { pictures: scope.photos(), timestep: scope.numbers("timestep"), text: scope.text("prompt"), mask };
}

/** L_sim of a batch: the mean of the photos' errors, [B], each with its weight. */
export function photoLoss({ photoWeight }: ObjectiveScope, errors: Value): Value {
  return mean(photoWeight === undefined ? errors : mul(errors, photoWeight));
}

/** What a step has of a photo. */
export interface PhotoFeeds {
  /** Its index. */
  readonly photo: number;
  readonly timestep: number;
  /** Of what {@link photoPass} declares, and the photo's features where the method reads them. */
  readonly feeds: Feeds;
  /** From which the rest of the step takes its random numbers. */
  readonly rng: Random;
}

/** The photo of a step (from 1), its timestep and its noise: the same ones in every method of the same seed. */
export function photoFeeds(step: number, context: TrainingContext): PhotoFeeds {
  const { settings, photos, photoOf } = context;
  const photo = photoOf(step);
  const rng = randomOfStep(settings.seed, step);
  const timestep = drawTimestep(context, rng.split("timestep"));
  const { views, ...rest } = photos[photo];
  const view = views.length === 1 ? views[0] : views[rng.split("flip").integer(views.length)];
  const features = view.features && { "ref.features": view.features };
  return {
    photo,
    timestep,
    rng,
    feeds: { ...photoFeedsOf({ ...rest, views: [view] }, timestep, rng, context), ...features },
  };
}

/** What {@link photoPass} declares, of a photo as it is. */
export function photoFeedsOf(
  { text, views: [{ encoded, weights, sizes }] }: Pick<TrainedPhoto, "text" | "views">,
  timestep: number,
  rng: Random,
  context: Pick<TrainingContext, "schedule" | "scaling" | "embedding"> & {
    readonly settings: Pick<TrainSettings, "noiseOffset" | "resolution" | "minSnr">;
  },
): Feeds {
  const { settings, schedule, embedding } = context;
  const { minSnr } = settings;
  return {
    ...pictureFeeds("ref", encoded, timestep, rng, context),
    timestep: float32([timestep]),
    ...textFeeds({ prompt: embedding(text) }, settings.resolution),
    ...(weights !== undefined && { "ref.mask": weights }),
    ...(sizes !== undefined && { "ref.sizes": sizes }),
    ...(minSnr !== undefined && { "ref.weight": float32([minSnrWeight(schedule, timestep, minSnr)]) }),
  };
}

/** Whether photos have masks, and weights. */
export function photoInputs({ maskedLoss, minSnr }: Pick<TrainSettings, "maskedLoss" | "minSnr">) {
  return { mask: maskedLoss, weight: minSnr !== undefined };
}
