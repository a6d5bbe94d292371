import { addNoise, trainingTarget } from "../diffusion/schedule.ts";
import type { TextEmbedding } from "../diffusion/text-encoding.ts";
import type { Random } from "../tensor/random.ts";
import { float32, stack, type Float32Tensor } from "../tensor/tensor.ts";
import type { TrainingContext } from "./context.ts";
import { drawLatents, type EncodedPicture } from "./photos.ts";
import type { Feeds } from "./trainer.ts";

/** What the inputs of an objective are fed: batches of one picture and of one text. */

/**
 * A picture with noise, for `ObjectiveScope.pictures(name)`.
 * @param rng of the step; latents and noise have splits of their own, "NAME latents" and "NAME noise"
 */
export function pictureFeeds(
  name: string,
  picture: EncodedPicture,
  timestep: number,
  rng: Random,
  { schedule, scaling }: Pick<TrainingContext, "schedule" | "scaling">,
): Feeds {
  const latents = drawLatents(picture, scaling, rng.split(`${name} latents`));
  const noise = rng.split(`${name} noise`).normal(latents.shape);
  return {
    [`${name}.noisy`]: addNoise(schedule, latents, noise, [timestep]),
    [`${name}.target`]: trainingTarget(schedule, latents, noise, [timestep]),
  };
}

/** A timestep, each as likely as every other. */
export function drawTimestep({ schedule }: Pick<TrainingContext, "schedule">, rng: Random): number {
  return rng.integer(schedule.numTrainTimesteps);
}

/** Texts by the names of `ObjectiveScope.text`, and the pictures' sizes where the model reads them. */
export function textFeeds(texts: Readonly<Record<string, TextEmbedding>>, resolution: number): Feeds {
  const feeds: Record<string, Float32Tensor> = {};
  for (const [name, { states, pooled }] of Object.entries(texts)) {
    feeds[name] = stack([states]);
    if (pooled === undefined) continue;
    feeds[`${name}.pooled`] = stack([pooled]);
    feeds["sizes"] = sizesOf(resolution);
  }
  return feeds;
}

/**
 * SDXL's size conditions of pictures that are trained at a resolution: height and width before cropping, top and left of the crop,
 * height and width aimed at, [1, 6]. As the authors' script has it, photos count as taken in this size.
 */
function sizesOf(resolution: number): Float32Tensor {
  return float32([resolution, resolution, 0, 0, resolution, resolution], [1, 6]);
}
