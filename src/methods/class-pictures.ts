import { startingPicturePath } from "../runs/folder.ts";
import type { TrainSettings } from "../settings/train-settings.ts";
import { drawsOf } from "../training/batches.ts";
import { dealer, pictureSeed } from "../training/draws.ts";
import type { RunPrompts } from "../training/prompts.ts";
import type { StartingPicture } from "../training/starting-picture.ts";

type Settings = Pick<TrainSettings, "seed" | "steps" | "batch" | "accumulate" | "classPictures" | "priorWeight">;

/** The pictures of the class that some step will use, drawn from the photos' prompt without the identifier. */
export function classPictures(settings: Settings, { plain }: Pick<RunPrompts, "plain">): StartingPicture[] {
  const { seed, classPictures: count, priorWeight } = settings;
  if (priorWeight === 0) return [];
  const deal = classPictureDealer(settings);
  return Array.from({ length: Math.min(drawsOf(settings), count) }, (_, i) => deal(i + 1)).map((index) => ({
    use: "class",
    text: plain.rewardText,
    prompt: plain.rewardText,
    promptIndex: 0,
    index,
    seed: pictureSeed(seed, "class", 0, index),
    path: startingPicturePath("class", 0, index),
    isScored: false,
  }));
}

/** Which class picture a step (from 1) trains on: they come round in shuffled order. */
export function classPictureDealer({ seed, classPictures: count }: Pick<Settings, "seed" | "classPictures">) {
  const deal = dealer(seed, "class pictures", count);
  return (step: number) => deal(step - 1);
}
