import { startingPicturePath } from "../../runs/folder.ts";
import { float32 } from "../../tensor/tensor.ts";
import type { TrainingContext } from "../../training/context.ts";
import type { StepFeeds } from "../../training/method.ts";
import { photoFeeds } from "../../training/photo-loss.ts";
import { pictureFeeds, textFeeds } from "../../training/picture-feeds.ts";
import type { EncodedStartingPictures } from "../../training/starting-picture.ts";
import { pairOf } from "./draws.ts";
import { labelOf, preferencePhoto } from "./preference.ts";

/** A step's pair: a photo, a negative, their noises, one timestep, and the label. Without preference the photo alone. */
export async function feedsOf(
  step: number,
  context: TrainingContext,
  negatives: EncodedStartingPictures,
): Promise<StepFeeds> {
  const { settings, prompts, scorer, embedding } = context;
  const { photo, timestep, rng, feeds } = photoFeeds(step, context);
  if (!settings.preference) return { photo, feeds };

  const pair = pairOf(step, { ...settings, prompts: prompts.training.length });
  const startingPicture = startingPicturePath("negative", pair.prompt, pair.negative);
  const negative = negatives.get(startingPicture);
  if (negative?.alignT === undefined) throw new Error(`step ${step}: ${startingPicture} was not drawn`);
  const { text, rewardText } = prompts.training[pair.prompt];
  const rewardRef = await scorer.photoAlignment(photo, rewardText);
  const probability = preferencePhoto(rewardRef, negative.alignT, settings.rewardScale);
  const label = labelOf(probability, settings.labels, rng.split("label"));
  return {
    photo,
    startingPicture,
    values: { label },
    feeds: {
      ...feeds,
      ...pictureFeeds("gen", negative.picture, timestep, rng, context),
      ...textFeeds({ modifier: embedding(text) }, settings.resolution),
      label: float32([label]),
    },
  };
}
