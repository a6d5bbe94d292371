import { mean, mul } from "../graph/ops/index.ts";
import type { Value } from "../graph/graph.ts";
import { float32 } from "../tensor/tensor.ts";
import type { Random } from "../tensor/random.ts";
import type { TrainingContext } from "./context.ts";
import type { Pass } from "./denoising.ts";
import { randomOfStep } from "./draws.ts";
import type { ObjectiveScope } from "./objective-scope.ts";
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
  /** Of what {@link photoPass} declares. */
  readonly feeds: Feeds;
  /** From which the rest of the step takes its random numbers. */
  readonly rng: Random;
}

/** The photo of a step (from 1), its timestep and its noise: the same ones in every method of the same seed. */
export function photoFeeds(step: number, context: TrainingContext): PhotoFeeds {
  const { settings, photos, photoOf, schedule, embedding } = context;
  const photo = photoOf(step);
  const rng = randomOfStep(settings.seed, step);
  const timestep = drawTimestep(context, rng.split("timestep"));
  const { text, views } = photos[photo];
  const { encoded, weights, sizes } = views.length === 1 ? views[0] : views[rng.split("flip").integer(views.length)];
  const { minSnr } = settings;
  return {
    photo,
    timestep,
    rng,
    feeds: {
      ...pictureFeeds("ref", encoded, timestep, rng, context),
      timestep: float32([timestep]),
      ...textFeeds({ prompt: embedding(text) }, settings.resolution),
      ...(weights !== undefined && { "ref.mask": weights }),
      ...(sizes !== undefined && { "ref.sizes": sizes }),
      ...(minSnr !== undefined && { "ref.weight": float32([minSnrWeight(schedule, timestep, minSnr)]) }),
    },
  };
}
