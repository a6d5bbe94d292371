import { randomOfStep } from "../../training/draws.ts";
import type { TrainingContext } from "../../training/context.ts";
import type { StepFeeds } from "../../training/method.ts";
import { drawTimestep, pictureFeeds, textFeeds } from "../../training/picture-feeds.ts";
import type { DrawnPictures } from "../../training/starting-picture.ts";
import { startingPicturePath } from "../../runs/folder.ts";
import { float32 } from "../../tensor/tensor.ts";
import { drawOf } from "./draws.ts";
import { labelOf, preferencePhoto } from "./preference.ts";

/** A step's pair: a photo, a negative, their noises, one timestep, and the label. Without preference the photo alone. */
export async function pairOf(step: number, context: TrainingContext, negatives: DrawnPictures): Promise<StepFeeds> {
  const { settings, photos, prompts, scorer, embedding } = context;
  const { seed, preference, resolution } = settings;
  const draw = drawOf(step, {
    seed,
    photos: photos.length,
    prompts: prompts.training.length,
    negatives: settings.negatives,
  });
  const rng = randomOfStep(seed, step);
  const timestep = drawTimestep(context, rng.split("timestep"));
  const ref = {
    ...pictureFeeds("ref", photos[draw.photo], timestep, rng, context),
    timestep: float32([timestep]),
  };
  const prompt = embedding(prompts.plain.text);
  if (!preference) return { photo: draw.photo, feeds: { ...ref, ...textFeeds({ prompt }, resolution) } };

  const startingPicture = startingPicturePath("negative", draw.prompt, draw.negative);
  const negative = negatives.get(startingPicture);
  if (negative?.alignT === undefined) throw new Error(`step ${step}: ${startingPicture} was not drawn`);
  const { text, rewardText } = prompts.training[draw.prompt];
  const rewardRef = await scorer.photoAlignment(draw.photo, rewardText);
  const probability = preferencePhoto(rewardRef, negative.alignT, settings.rewardScale);
  const label = labelOf(probability, settings.labels, rng.split("label"));
  return {
    photo: draw.photo,
    startingPicture,
    values: { label },
    feeds: {
      ...ref,
      ...pictureFeeds("gen", negative.picture, timestep, rng, context),
      ...textFeeds({ prompt, modifier: embedding(text) }, resolution),
      label: float32([label]),
    },
  };
}
