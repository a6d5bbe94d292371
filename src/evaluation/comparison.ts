import type { Estimate } from "../reward/statistics.ts";
import { bestStep, type Validation } from "../reward/choice.ts";
import { judge } from "../reward/judged.ts";

/** One model of a comparison. */
export interface ComparedModel {
  readonly label: string;
  readonly step: number;
  readonly alignI: Estimate;
  readonly alignT: Estimate;
  /** The reward at each of the comparison's lambdas. */
  readonly rewards: readonly Estimate[];
  /** Against the starting model, picture by picture, at each lambda. */
  readonly gains: readonly Estimate[];
  /** The lambda that chose this model, if one did. */
  readonly chosenAt?: number;
}

/**
 * The starting model, fine-tuning on the photos alone, and what each lambda chooses from one RPO run, all on the same prompts and noises.
 * @throws RangeError when the run has no validation
 */
export function compareModels(
  run: readonly Validation[],
  photosAlone: Validation,
  lambdas: readonly number[],
): ComparedModel[] {
  const judgedAt = lambdas.map((lambda) => judge([...run, photosAlone], lambda));
  const model = (label: string, index: number): ComparedModel => {
    const each = judgedAt.map((judged) => judged[index]);
    const [{ step, alignI, alignT }] = each;
    return {
      label,
      step,
      alignI,
      alignT,
      rewards: each.map(({ reward }) => reward),
      gains: each.map(({ gain }) => gain),
    };
  };
  const chosen = lambdas.map((lambda): ComparedModel => {
    const best = bestStep(run, lambda);
    if (best === undefined) throw new RangeError("a run without a validation has nothing to compare");
    const index = run.findIndex(({ step }) => step === best.step);
    return { ...model(`RPO, λ ${lambda}`, index), chosenAt: lambda };
  });
  return [model("starting model", 0), model("photos alone (L_sim)", run.length), ...chosen];
}
