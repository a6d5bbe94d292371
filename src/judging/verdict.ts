import type { ValidationEvent } from "../runs/events.ts";
import { choiceAt, choices, type Choice, type Chosen } from "../reward/choice.ts";
import { difference, isSignificant, judge, type Judged } from "../reward/judged.ts";
import type { Estimate } from "../reward/statistics.ts";
import type { JudgedLog } from "./judged-log.ts";

/** What is to be said of checkpoints that were judged: which to keep for which lambda, what may be chance, what copies the photos. */

export interface Candidate extends Judged {
  /** How many of its pictures are nearer to a photo than any two photos are to each other; undefined with a single photo. */
  readonly copies: number | undefined;
  readonly pictures: number;
  /** By how much the best is better, from the same noises; undefined for the best itself. */
  readonly behind: Estimate | undefined;
  /** Whether that is less than twice its standard error, so that it may be chance. */
  readonly mayBeBest: boolean;
}

export interface Verdict {
  readonly lambda: number;
  /** The best at the run's lambda; undefined before anything was judged. */
  readonly best: Chosen | undefined;
  /** In the order of their steps, the starting model first. */
  readonly candidates: readonly Candidate[];
  /** Which to keep over all lambdas. */
  readonly keep: readonly Choice[];
}

export function verdictOf(
  { validations, scale, closestI }: Pick<JudgedLog, "validations" | "scale" | "closestI">,
  lambda: number,
): Verdict {
  const best = choiceAt(validations, lambda, scale);
  const at = validations.findIndex(({ step }) => step === best?.step);
  const judged = judge(validations, lambda, scale);
  const candidates = judged.map((each, i) => {
    const { images } = validations[i];
    const behind = at < 0 || i === at ? undefined : difference(validations, [at, i], lambda, scale);
    return {
      ...each,
      copies: copiesOf(images, closestI),
      pictures: images.length,
      behind,
      mayBeBest: behind === undefined ? i === at : !isSignificant(behind),
    };
  });
  return { lambda, best, candidates, keep: choices(validations, scale) };
}

/**
 * How many pictures are copies: nearer to some photo than any two photos are to each other, as `rpo evaluate` counts them.
 * @param closestI of a run's first event
 * @returns undefined where there is nothing to measure by
 */
export function copiesOf(images: ValidationEvent["images"], closestI: number | undefined): number | undefined {
  if (closestI === undefined || images.some(({ nearestI }) => nearestI === undefined)) return undefined;
  return images.filter(({ nearestI = 0 }) => nearestI > closestI).length;
}
