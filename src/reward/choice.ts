import type { TrainSettings } from "../settings/train-settings.ts";
import type { RewardForm } from "../settings/reward-form.ts";
import { rewardsAt } from "./judged.ts";
import { countedOf, isOutOfPatience } from "./patience.ts";
import type { RewardScale, Validation } from "./scale.ts";
import { firstHighest } from "./statistics.ts";

/** Which of a run's validations is best for a lambda, from the alignments of their pictures alone. The report's page chooses by it too. */

/** A step and its reward. */
export interface Best {
  readonly step: number;
  readonly reward: number;
}

/** The first of the validations with the highest reward at `lambda`; undefined where none has a reward that is a number. */
export function bestStep(validations: readonly Validation[], lambda: number, scale: RewardScale): Best | undefined {
  return highest(stepRewards(validations, lambda, scale));
}

/**
 * Early stopping, replayed: the validations until the best of them at `lambda` is `patience` validations old; all of them where training
 * would not have been stopped. Those out of turn are among them, and not counted.
 */
export function untilStop<V extends Validation>(
  validations: readonly V[],
  { lambda, patience, scale }: { readonly lambda: number; readonly patience: number; readonly scale: RewardScale },
): V[] {
  const counted = countedOf(validations);
  const rewards = stepRewards(counted, lambda, scale);
  const stop = counted.find((_, last) => {
    const seen = rewards.slice(0, last + 1);
    return isOutOfPatience(seen, highest(seen), patience);
  });
  return validations.slice(0, stop && validations.indexOf(stop) + 1);
}

function stepRewards(validations: readonly Validation[], lambda: number, scale: RewardScale): Best[] {
  const rewards = rewardsAt(validations, lambda, scale);
  return validations.map(({ step }, i) => ({ step, reward: rewards[i] }));
}

function highest(steps: readonly Best[]): Best | undefined {
  return firstHighest(steps, ({ reward }) => reward);
}

/** What a lambda chooses. */
export interface Chosen extends Best {
  readonly lambda: number;
  /** By which form of the reward. */
  readonly form: RewardForm;
}

/** {@link bestStep} with the lambda that chose it. */
export function choiceAt(validations: readonly Validation[], lambda: number, scale: RewardScale): Chosen | undefined {
  const best = bestStep(validations, lambda, scale);
  return best && { lambda, form: scale.form, ...best };
}

/** The lambdas for which full fine-tuning keeps the best checkpoint. */
export const KEPT_LAMBDAS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

/**
 * The steps whose checkpoints full fine-tuning keeps: the last, and for the run's lambda and each kept one the best of all and the best
 * until early stopping would have ended training, which a run that does not stop early may have left behind.
 */
export function keptSteps(validations: readonly Validation[], wanted: Kept, scale: RewardScale): Set<number> {
  const last = validations.at(-1);
  return new Set([...chosenSteps(validations, wanted, scale), ...(last === undefined ? [] : [last.step])]);
}

type Kept = Pick<TrainSettings, "lambda" | "patience">;

/** {@link keptSteps} without the last, unless it is one of the best. */
export function chosenSteps(
  validations: readonly Validation[],
  { lambda, patience }: Kept,
  scale: RewardScale,
): Set<number> {
  const chosen = [lambda, ...KEPT_LAMBDAS].flatMap((each) => [
    bestStep(validations, each, scale),
    bestStep(untilStop(validations, { lambda: each, patience, scale }), each, scale),
  ]);
  return new Set(chosen.flatMap((each) => (each === undefined ? [] : [each.step])));
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
export function choices(validations: readonly Validation[], scale: RewardScale): Choice[] {
  const found: Choice[] = [];
  for (let i = 0; i <= LAMBDA_STEPS; i++) {
    const lambda = i / LAMBDA_STEPS;
    const chosen = bestStep(validations, lambda, scale);
    if (chosen === undefined) continue;
    const last = found.at(-1);
    if (last?.step === chosen.step) found[found.length - 1] = { ...last, to: lambda };
    else found.push({ step: chosen.step, from: lambda, to: lambda });
  }
  return found;
}
