import { addNoise, trainingTarget } from "../diffusion/schedule.ts";
import type { Random } from "../tensor/random.ts";
import { float32, stack, type Float32Tensor } from "../tensor/tensor.ts";
import type { TrainingContext } from "./context.ts";
import { drawLatents, type EncodedPicture } from "./photos.ts";
import type { RunText } from "./run-text.ts";
import type { Feeds } from "./trainer.ts";

/** What the inputs of an objective are fed: batches of one picture and of one text. */

/**
 * A picture with noise, for `ObjectiveScope.pictures(name)`.
 * @param rng of the step; latents, noise and its offset have splits of their own: "NAME latents", "NAME noise", "NAME noise offset"
 * @param noiseName the noise's NAME, where two pictures share one
 */
export function pictureFeeds(
  name: string,
  picture: EncodedPicture,
  timestep: number,
  rng: Random,
  {
    schedule,
    scaling,
    settings,
  }: Pick<TrainingContext, "schedule" | "scaling"> & {
    readonly settings: Pick<TrainingContext["settings"], "noiseOffset">;
  },
  noiseName = name,
): Feeds {
  const latents = drawLatents(picture, scaling, rng.split(`${name} latents`));
  const normal = rng.split(`${noiseName} noise`).normal(latents.shape);
  const noise = withOffset(normal, settings.noiseOffset, rng.split(`${noiseName} noise offset`));
  return {
    [`${name}.noisy`]: addNoise(schedule, latents, noise, [timestep]),
    [`${name}.target`]: trainingTarget(schedule, latents, noise, [timestep]),
  };
}

/** noise + offset * normal([B, C, 1, 1]): offset noise, https://www.crosslabs.org/blog/diffusion-with-offset-noise. 0 draws nothing. */
function withOffset(noise: Float32Tensor, offset: number, rng: Random): Float32Tensor {
  if (offset === 0) return noise;
  const [batch, channels, height, width] = noise.shape;
  const shifts = rng.normal([batch, channels, 1, 1]).data;
  return float32(
    noise.data.map((x, i) => x + offset * shifts[Math.floor(i / (height * width))]),
    noise.shape,
  );
}

/** A timestep, each as likely as every other. */
export function drawTimestep({ schedule }: Pick<TrainingContext, "schedule">, rng: Random): number {
  return rng.integer(schedule.numTrainTimesteps);
}

/** Texts by the names of `ObjectiveScope.text`, and the pictures' sizes where the model reads them. */
export function textFeeds(texts: Readonly<Record<string, RunText>>, resolution: number): Feeds {
  const feeds: Record<string, Float32Tensor> = {};
  for (const [name, { states, pooled, inputs }] of Object.entries(texts)) {
    if (pooled !== undefined) feeds["sizes"] = sizesOf(resolution);
    if (inputs !== undefined) {
      Object.assign(feeds, inputs.feeds(name));
      continue;
    }
    feeds[name] = stack([states]);
    if (pooled !== undefined) feeds[`${name}.pooled`] = stack([pooled]);
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
