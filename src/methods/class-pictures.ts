import { startingPicturePath } from "../runs/folder.ts";
import { subjectsOf } from "../settings/subjects.ts";
import type { TrainSettings } from "../settings/train-settings.ts";
import { drawsOf } from "../training/batches.ts";
import { dealer, pictureSeed } from "../training/draws.ts";
import { plainPrompts, type RunPrompts } from "../training/prompts.ts";
import type { StartingPicture } from "../training/starting-picture.ts";

type Settings = Pick<
  TrainSettings,
  "seed" | "steps" | "batch" | "accumulate" | "classPictures" | "classFolder" | "priorWeight" | "concepts"
>;

/** The pictures of the class that some step will use, drawn from the photos' prompt without the identifier; of several subjects those of each. */
export function classPictures(settings: Settings, prompts: Pick<RunPrompts, "plain" | "plains">): StartingPicture[] {
  const { seed, classPictures: count, priorWeight } = settings;
  if (priorWeight === 0) return [];
  const deal = classPictureDealer(settings);
  const subjects = subjectsOf(settings);
  const plain = plainPrompts(prompts);
  return Array.from({ length: Math.min(drawsOf(settings), subjects.length * count) }, (_, i) => deal(i + 1)).map(
    ({ subject, index }) => ({
      use: "class",
      text: plain[subject].rewardText,
      prompt: plain[subject].rewardText,
      promptIndex: subject,
      index,
      seed: pictureSeed(seed, "class", subject, index),
      path: startingPicturePath("class", subject, index),
      isScored: false,
      folder: subjects[subject].classFolder,
    }),
  );
}

/** Which class picture a step (from 1) trains on, by its subject and its place: all of them come round in shuffled order. */
export function classPictureDealer(settings: Pick<Settings, "seed" | "classPictures" | "concepts">) {
  const { seed, classPictures: count } = settings;
  const deal = dealer(seed, "class pictures", subjectsOf(settings).length * count);
  return (step: number) => {
    const card = deal(step - 1);
    return { subject: Math.floor(card / count), index: card % count };
  };
}
