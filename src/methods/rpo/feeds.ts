import { harmonicReward, type Alignment } from "../../reward/reward.ts";
import { startingPicturePath } from "../../runs/folder.ts";
import { float32 } from "../../tensor/tensor.ts";
import type { TrainingContext } from "../../training/context.ts";
import type { StepFeeds } from "../../training/method.ts";
import { photoFeeds } from "../../training/photo-loss.ts";
import { pictureFeeds, textFeeds } from "../../training/picture-feeds.ts";
import type { EncodedStartingPictures } from "../../training/starting-picture.ts";
import { anchorsOf } from "../anchors.ts";
import { calibrate } from "../calibrated.ts";
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
  if (negative?.alignments === undefined) throw new Error(`step ${step}: ${startingPicture} was not drawn`);
  const { text, rewardText } = prompts.training[pair.prompt];
  const alignT = await scorer.photoAlignment(photo, rewardText);
  const [ref, gen] =
    settings.trainLambda === 0
      ? [alignT, negative.alignments.alignT]
      : await calibratedRewards({ photo: alignT, negative: negative.alignments }, pair.prompt, context, negatives);
  const probability = preferencePhoto(ref, gen, settings.rewardScale);
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

/** The harmonic rewards of a photo and a negative of a prompt, both alignments on their scales. */
async function calibratedRewards(
  { photo, negative }: { readonly photo: number; readonly negative: Alignment },
  prompt: number,
  context: TrainingContext,
  negatives: EncodedStartingPictures,
): Promise<readonly [photo: number, negative: number]> {
  const start = [...negatives.values()].flatMap(({ alignments, promptIndex }) =>
    alignments === undefined ? [] : [{ ...alignments, promptIndex }],
  );
  const anchors = await anchorsOf(context, start);
  const rewardOf = (alignment: Alignment) =>
    harmonicReward(calibrate(alignment, anchors, prompt), context.settings.trainLambda);
  return [rewardOf({ alignI: anchors.imagePhotos, alignT: photo }), rewardOf(negative)];
}
