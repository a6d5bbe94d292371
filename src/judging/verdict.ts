import type { ValidationEvent } from "../runs/events.ts";
import { choiceAt, choices, type Choice, type Chosen } from "../reward/choice.ts";
import { difference, isNothing, isSignificant, judge, type Judged } from "../reward/judged.ts";
import type { Estimate } from "../reward/statistics.ts";
import type { JudgedLog } from "./judged-log.ts";

/** What is to be said of checkpoints that were judged: which to keep for which lambda, what may be chance, what copies the photos. */

export interface Candidate extends Judged {
  /** How many of its pictures are nearer to a photo than any two photos are to each other; undefined with a single photo. */
  readonly copies: number | undefined;
  readonly pictures: number;
  /** What is wrong with its file, which cannot be kept any more: trainers remove older ones. Undefined where all is well. */
  readonly gone?: string;
  /** By how much the best is better, from the same noises; undefined for the best itself. */
  readonly behind: Estimate | undefined;
  /** Whether that is less than twice its standard error, so that it may be chance, or as good as nothing. */
  readonly mayBeBest: boolean;
}

export interface Verdict {
  readonly lambda: number;
  /** The best at the run's lambda of those that are there; undefined before anything was judged. */
  readonly best: Chosen | undefined;
  /** The best of all, whose file may be gone. */
  readonly bestOfAll: Chosen | undefined;
  /** In the order of their steps, the starting model first. */
  readonly candidates: readonly Candidate[];
  /** Which to keep over all lambdas, of those that are there. */
  readonly keep: readonly Choice[];
  /** Which would be kept if all were there, where that is another. */
  readonly missed: readonly Choice[];
}

/** @param gone what is wrong with the files of some steps */
export function verdictOf(
  { validations, scale, closestI }: Pick<JudgedLog, "validations" | "scale" | "closestI">,
  lambda: number,
  gone: ReadonlyMap<number, string> = new Map(),
): Verdict {
  const there = validations.filter(({ step }) => !gone.has(step));
  // of equals the one that is there is the better one; the starting model, from which rewards are measured, stays the first
  const all = [...there, ...validations.filter(({ step }) => gone.has(step))];
  const best = choiceAt(there, lambda, scale);
  const at = validations.findIndex(({ step }) => step === best?.step);
  const judged = judge(validations, lambda, scale);
  const candidates = judged.map((each, i) => {
    const { images } = validations[i];
    const problem = gone.get(each.step);
    const behind = at < 0 || i === at ? undefined : difference(validations, [at, i], lambda, scale);
    return {
      ...each,
      copies: copiesOf(images, closestI),
      pictures: images.length,
      ...(problem !== undefined && { gone: problem }),
      behind,
      mayBeBest: behind === undefined ? i === at : isNothing(behind) || !isSignificant(behind),
    };
  });
  return {
    lambda,
    best,
    bestOfAll: choiceAt(all, lambda, scale),
    candidates,
    keep: choices(there, scale),
    missed: choices(all, scale).filter(({ step }) => gone.has(step)),
  };
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
