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
  const alignments = [
    { alignI: await context.photoLikeness(), alignT: await scorer.photoAlignment(photo, rewardText) },
    negative.alignments,
  ];
  const [ref, gen] = await rewardsOf(alignments, pair.prompt, context, negatives);
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

/** The rewards of training of a prompt's pictures: ALIGN-T as it is, and above λ = 0 the harmonic mean of both alignments on their scales. */
async function rewardsOf(
  pictures: readonly Alignment[],
  prompt: number,
  context: TrainingContext,
  negatives: EncodedStartingPictures,
): Promise<number[]> {
  const { trainLambda } = context.settings;
  if (trainLambda === 0) return pictures.map(({ alignT }) => alignT);
  const start = [...negatives.values()].flatMap(({ alignments, promptIndex }) =>
    alignments === undefined ? [] : [{ ...alignments, promptIndex }],
  );
  const anchors = await anchorsOf(context, start);
  return pictures.map((picture) => harmonicReward(calibrate(picture, anchors, prompt), trainLambda));
}
