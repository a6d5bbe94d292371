import type { Alignment } from "../reward/reward.ts";
import type { TrainingContext } from "../training/context.ts";
import { mean } from "../reward/statistics.ts";
import type { Anchors } from "./calibrated.ts";

/**
 * The ends of the scales of both alignments, from the photos and the starting model's pictures of the training prompts.
 * @param start at least one
 */
export async function anchorsOf(
  { prompts, scorer }: TrainingContext,
  start: readonly (Alignment & { readonly promptIndex: number })[],
): Promise<Anchors> {
  const textPhotos: number[] = [];
  const textStart: number[] = [];
  for (const [prompt, { rewardText }] of prompts.training.entries()) {
    textPhotos.push(await scorer.photosAlignment(rewardText));
    const own = start.filter(({ promptIndex }) => promptIndex === prompt).map(({ alignT }) => alignT);
    // of a prompt that no step of a short run uses there is no picture, and nothing to measure
    textStart.push(own.length === 0 ? textPhotos[prompt] : mean(own));
  }
  const imageStart = mean(start.map(({ alignI }) => alignI));
  return { imageStart, imagePhotos: scorer.photosI, textStart, textPhotos };
}
