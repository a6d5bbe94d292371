import { startingPicturePath } from "../../runs/folder.ts";
import type { TrainSettings } from "../../settings/train-settings.ts";
import { drawsOf } from "../../training/batches.ts";
import { pictureSeed } from "../../training/draws.ts";
import type { RunPrompts } from "../../training/prompts.ts";
import type { StartingPicture } from "../../training/starting-picture.ts";
import { pairsNeeded } from "./draws.ts";

/** The starting model's pictures of the modifier prompts that some step will use, x_gen, with their alignment to the prompt. */
export function negativePictures(settings: TrainSettings, { training: prompts }: RunPrompts): StartingPicture[] {
  const { seed, negatives, preference } = settings;
  if (!preference) return [];
  return pairsNeeded(drawsOf(settings), { seed, prompts: prompts.length, negatives }).map(({ prompt, negative }) => ({
    use: "negative",
    text: prompts[prompt].text,
    prompt: prompts[prompt].rewardText,
    promptIndex: prompt,
    index: negative,
    seed: pictureSeed(seed, "negative", prompt, negative),
    path: startingPicturePath("negative", prompt, negative),
    isScored: true,
  }));
}
