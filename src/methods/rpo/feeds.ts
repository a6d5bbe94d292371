import { addNoise, trainingTarget } from "../../diffusion/schedule.ts";
import type { TextEmbedding } from "../../diffusion/text-encoding.ts";
import { Random } from "../../tensor/random.ts";
import { float32, stack } from "../../tensor/tensor.ts";
import { drawOf } from "../../training/draws.ts";
import { drawOptions, negativeKey, type Negatives } from "./negatives.ts";
import { drawLatents } from "../../training/photos.ts";
import { labelOf, preferencePhoto } from "./preference.ts";
import type { TrainSettings } from "../../settings/train-settings.ts";
import type { Studio } from "../../training/context.ts";
import { sizesOf, type ObjectiveFeeds } from "../../training/trainer.ts";

/**
 * The tensors of one step: a photo, a negative, their noises, one timestep, and the label. Without preference the photo stands in for the
 * negative, which nothing reads.
 */
export async function pairOf(
  step: number,
  settings: TrainSettings,
  studio: Studio,
  negatives: Negatives,
): Promise<{ feeds: ObjectiveFeeds; label: number }> {
  const { photo, prompt, negative } = drawOf(step, drawOptions(settings, studio));
  const rng = new Random(settings.seed).split("step", step);
  const { schedule, scaling, prompts } = studio;
  const other = negatives.get(negativeKey(prompt, negative));
  if (settings.preference && other === undefined)
    throw new Error(`step ${step}: negative ${negative} of prompt ${prompt} was not drawn`);
  const ref = drawLatents(studio.photos[photo], scaling, rng.split("ref latents"));
  const gen = other === undefined ? ref : drawLatents(other.picture, scaling, rng.split("gen latents"));
  const timesteps = [rng.split("timestep").integer(schedule.numTrainTimesteps)];
  const noise = { ref: rng.split("ref noise").normal(ref.shape), gen: rng.split("gen noise").normal(gen.shape) };
  const modifier = prompts.training[prompt];
  const label =
    other === undefined
      ? 0
      : labelOf(
          preferencePhoto(
            await studio.scorer.photoAlignment(photo, modifier.rewardText),
            other.alignT,
            settings.rewardScale,
          ),
          settings.labels,
          rng.split("label"),
        );
  return {
    label,
    feeds: {
      "ref.noisy": addNoise(schedule, ref, noise.ref, timesteps),
      "ref.target": trainingTarget(schedule, ref, noise.ref, timesteps),
      "gen.noisy": addNoise(schedule, gen, noise.gen, timesteps),
      "gen.target": trainingTarget(schedule, gen, noise.gen, timesteps),
      timestep: float32(timesteps),
      ...textFeeds(studio.embedding(prompts.plain.text), studio.embedding(modifier.text), settings.resolution),
      label: float32([label]),
    },
  };
}

/** A batch of one of each text, with the sizes where the model reads them. */
export function textFeeds(
  prompt: TextEmbedding,
  modifier: TextEmbedding,
  resolution: number,
): Pick<ObjectiveFeeds, "prompt" | "modifier" | "prompt.pooled" | "modifier.pooled" | "sizes"> {
  const feeds = { prompt: stack([prompt.states]), modifier: stack([modifier.states]) };
  if (prompt.pooled === undefined || modifier.pooled === undefined) return feeds;
  return {
    ...feeds,
    "prompt.pooled": stack([prompt.pooled]),
    "modifier.pooled": stack([modifier.pooled]),
    sizes: sizesOf(resolution),
  };
}
