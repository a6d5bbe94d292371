import { startingPicturePath } from "../runs/folder.ts";
import { float32 } from "../tensor/tensor.ts";
import type { Random } from "../tensor/random.ts";
import type { TrainingContext } from "../training/context.ts";
import type { Pass } from "../training/denoising.ts";
import type { ObjectiveScope } from "../training/objective-scope.ts";
import { plainPrompts } from "../training/prompts.ts";
import { drawTimestep, pictureFeeds, textFeeds } from "../training/picture-feeds.ts";
import type { EncodedStartingPictures } from "../training/starting-picture.ts";
import type { Feeds } from "../training/trainer.ts";
import { classPictureDealer } from "./class-pictures.ts";

/** A picture of the class, for `squaredErrors`. */
export function classPass(scope: ObjectiveScope): Pass {
  return {
    pictures: scope.pictures("class"),
    timestep: scope.numbers("class.timestep"),
    text: scope.text("class.prompt"),
  };
}

/** What {@link classPass} declares: the class picture of a step (from 1), with a timestep and a noise of its own. */
export function classFeeds(
  step: number,
  context: TrainingContext,
  pictures: EncodedStartingPictures,
  rng: Random,
): { readonly startingPicture: string; readonly feeds: Feeds } {
  const { settings, prompts, embedding } = context;
  const { subject, index } = classPictureDealer(settings)(step);
  const startingPicture = startingPicturePath("class", subject, index);
  const drawn = pictures.get(startingPicture);
  if (drawn === undefined) throw new Error(`step ${step}: ${startingPicture} was not drawn`);
  const timestep = drawTimestep(context, rng.split("class timestep"));
  return {
    startingPicture,
    feeds: {
      ...pictureFeeds("class", drawn.picture, timestep, rng, context),
      ...textFeeds({ "class.prompt": embedding(plainPrompts(prompts)[subject].rewardText) }, settings.resolution),
      "class.timestep": float32([timestep]),
    },
  };
}
