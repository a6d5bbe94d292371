import { isOutOfPatience } from "./patience.ts";
import { harmonicReward, type Alignment } from "./reward.ts";
import type { TrainSettings } from "../settings/train-settings.ts";
import { estimate, firstHighest, type Estimate } from "./statistics.ts";

/** Which of a run's validations is best for a lambda, from the alignments of their pictures alone. */

/** A validation: where it was, and both alignments of every picture. */
export interface Validation {
  readonly step: number;
  readonly images: readonly Alignment[];
}

/** The lambda-harmonic reward of a validation's pictures. */
export function rewardOf(images: readonly Alignment[], lambda: number): Estimate {
  return estimate(images.map((image) => harmonicReward(image, lambda)));
}

/** A step and its reward. */
export interface Best {
  readonly step: number;
  readonly reward: number;
}

/** The first of the validations with the highest reward at `lambda`; undefined where none has a reward that is a number. */
export function bestStep(validations: readonly Validation[], lambda: number): Best | undefined {
  const rewards = validations.map(({ step, images }) => ({ step, reward: rewardOf(images, lambda).mean }));
  return firstHighest(rewards, ({ reward }) => reward);
}

/** The lambdas for which full fine-tuning keeps the best checkpoint. */
export const KEPT_LAMBDAS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

/**
 * The steps whose checkpoints full fine-tuning keeps: the last, and for the run's lambda and each kept one the best of all and the best
 * until early stopping would have ended training, which a run that does not stop early may have left behind.
 */
export function keptSteps(
  validations: readonly Validation[],
  { lambda, patience }: Pick<TrainSettings, "lambda" | "patience">,
): Set<number> {
  const chosen = [lambda, ...KEPT_LAMBDAS].flatMap((each) => [
    bestStep(validations, each),
    bestStep(untilStop(validations, each, patience), each),
  ]);
  return new Set([...chosen, validations.at(-1)].flatMap((each) => (each === undefined ? [] : [each.step])));
}

/** The validations until the best of them is `patience` validations old. */
function untilStop(validations: readonly Validation[], lambda: number, patience: number) {
  const seen: Validation[] = [];
  for (const validation of validations) {
    seen.push(validation);
    if (isOutOfPatience(seen, bestStep(seen, lambda), patience)) break;
  }
  return seen;
}
