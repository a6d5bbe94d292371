import { isOutOfPatience } from "./patience.ts";
import { harmonicReward, type Alignment } from "./reward.ts";
import type { TrainSettings } from "../settings/train-settings.ts";
import { estimate, firstHighest, type Estimate } from "./statistics.ts";

/** Which of a run's validations is best for a lambda, from the alignments of their pictures alone. The report's page chooses by it too. */

/** A validation: where it was, and both alignments of every picture. The pictures of all validations have the same prompts and noises. */
export interface Validation {
  readonly step: number;
  readonly images: readonly Alignment[];
}

/** The lambda-harmonic reward of each picture. */
export function rewardsOf(images: readonly Alignment[], lambda: number): number[] {
  return images.map((image) => harmonicReward(image, lambda));
}

/** The lambda-harmonic reward of a validation's pictures. */
export function rewardOf(images: readonly Alignment[], lambda: number): Estimate {
  return estimate(rewardsOf(images, lambda));
}

/** A step and its reward. */
export interface Best {
  readonly step: number;
  readonly reward: number;
}

/** The first of the validations with the highest reward at `lambda`; undefined where none has a reward that is a number. */
export function bestStep(validations: readonly Validation[], lambda: number): Best | undefined {
  return highest(stepRewards(validations, lambda));
}

/**
 * Early stopping, replayed: the validations until the best of them at `lambda` is `patience` validations old; all of them where training
 * would not have been stopped.
 */
export function untilStop<V extends Validation>(validations: readonly V[], lambda: number, patience: number): V[] {
  const rewards = stepRewards(validations, lambda);
  const stop = validations.findIndex((_, last) => {
    const seen = rewards.slice(0, last + 1);
    return isOutOfPatience(seen, highest(seen), patience);
  });
  return validations.slice(0, stop < 0 ? undefined : stop + 1);
}

function stepRewards(validations: readonly Validation[], lambda: number): Best[] {
  return validations.map(({ step, images }) => ({ step, reward: rewardOf(images, lambda).mean }));
}

function highest(steps: readonly Best[]): Best | undefined {
  return firstHighest(steps, ({ reward }) => reward);
}

/** What a lambda chooses. */
export interface Chosen extends Best {
  readonly lambda: number;
}

/** {@link bestStep} with the lambda that chose it. */
export function choiceAt(validations: readonly Validation[], lambda: number): Chosen | undefined {
  const best = bestStep(validations, lambda);
  return best && { lambda, ...best };
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

/** The lambdas, from `from` to `to`, for which one step is the best. */
export interface Choice {
  readonly step: number;
  readonly from: number;
  readonly to: number;
}

/** The page's slider stands at multiples of 1 / this. */
export const LAMBDA_STEPS = 100;

/** Which step is chosen over all lambdas from 0 to 1, in the slider's steps. */
export function choices(validations: readonly Validation[]): Choice[] {
  const found: Choice[] = [];
  for (let i = 0; i <= LAMBDA_STEPS; i++) {
    const lambda = i / LAMBDA_STEPS;
    const chosen = bestStep(validations, lambda);
    if (chosen === undefined) continue;
    const last = found.at(-1);
    if (last?.step === chosen.step) found[found.length - 1] = { ...last, to: lambda };
    else found.push({ step: chosen.step, from: lambda, to: lambda });
  }
  return found;
}
