import { harmonicReward, type Alignment } from "./reward.ts";
import { estimate, firstHighest, type Estimate } from "./statistics.ts";

/** What a lambda makes of a run's validations. The report's page uses these functions too, when its reader moves the slider. */

/** One validation: where it was, and both alignments of every picture. The pictures of all validations have the same prompts and noises. */
export interface Validated {
  readonly step: number;
  readonly scores: readonly Alignment[];
}

/** A validation seen with a lambda. */
export interface Judged {
  readonly step: number;
  readonly reward: Estimate;
  readonly alignI: Estimate;
  readonly alignT: Estimate;
  /** Mean of the differences in reward to the first validation, picture by picture, and its standard error. */
  readonly gain: Estimate;
}

/** Every validation's mean reward at `lambda` and its parts. */
export function judge(validations: readonly Validated[], lambda: number): Judged[] {
  const rewards = validations.map(({ scores }) => scores.map((score) => harmonicReward(score, lambda)));
  return validations.map(({ step, scores }, v) => ({
    step,
    reward: estimate(rewards[v]),
    alignI: estimate(scores.map(({ alignI }) => alignI)),
    alignT: estimate(scores.map(({ alignT }) => alignT)),
    gain: estimate(rewards[v].map((reward, i) => reward - rewards[0][i])),
  }));
}

/** The first of the validations with the highest mean reward: the choice that training and `rpo select` make too. */
export function best(judged: readonly Judged[]): Judged | undefined {
  return firstHighest(judged, ({ reward }) => reward.mean);
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
export function choices(validations: readonly Validated[]): Choice[] {
  const found: Choice[] = [];
  for (let i = 0; i <= LAMBDA_STEPS; i++) {
    const lambda = i / LAMBDA_STEPS;
    const chosen = best(judge(validations, lambda));
    if (chosen === undefined) continue;
    const last = found.at(-1);
    if (last?.step === chosen.step) found[found.length - 1] = { ...last, to: lambda };
    else found.push({ step: chosen.step, from: lambda, to: lambda });
  }
  return found;
}

/** Whether a gain is more than twice its standard error. One without an error, as of a single picture, tells nothing. */
export function isSignificant({ mean, standardError }: Estimate): boolean {
  return standardError > 0 && mean > 2 * standardError;
}
