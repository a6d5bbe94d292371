import { bestStep } from "../reward/choice.ts";
import { judge, type Judged } from "../reward/judged.ts";
import type { RewardScale, Validation } from "../reward/scale.ts";
import type { Estimate } from "../reward/statistics.ts";

/** Where a model of a comparison comes from. */
export type ComparedSource = "start" | "alone" | "run";

/** One model of a comparison. */
export interface ComparedModel {
  readonly label: string;
  readonly source: ComparedSource;
  readonly step: number;
  readonly alignI: Estimate;
  readonly alignT: Estimate;
  /** How far it is to the photos and what is left of its obedience; of runs that know it. */
  readonly progress?: Judged["progress"];
  /** The reward at each of the comparison's lambdas. */
  readonly rewards: readonly Estimate[];
  /** Against the starting model, from the same noises, at each lambda. */
  readonly gains: readonly Estimate[];
  /** The lambdas that choose this model among its run's. */
  readonly chosenAt: readonly number[];
}

/**
 * The starting model; fine-tuning on the photos alone, its last checkpoint and what its own reward chooses; and of an RPO run the last
 * checkpoint, at the same step, and what each lambda chooses. All on the same prompts and noises, each model once.
 * @param scale the RPO run's: its anchors are those of the other one
 * @throws RangeError when a run has no validation
 */
export function compareModels(
  run: readonly Validation[],
  alone: readonly Validation[],
  { lambdas, scale }: { readonly lambdas: readonly number[]; readonly scale: RewardScale },
): ComparedModel[] {
  const [start] = run;
  if (start === undefined || alone.length === 0)
    throw new RangeError("a run without a validation compares with nothing");
  const model = (source: ComparedSource, label: string, validation: Validation, chosenAt: readonly number[]) => {
    const each = lambdas.map((lambda) => judge([start, validation], lambda, scale)[1]);
    const [{ step, alignI, alignT, progress }] = each;
    return {
      ...{ label, source, step, alignI, alignT, chosenAt },
      ...(progress && { progress }),
      rewards: each.map(({ reward }) => reward),
      gains: each.map(({ gain }) => gain),
    };
  };
  const choosing = (validations: readonly Validation[], { step }: Validation) =>
    lambdas.filter((lambda) => bestStep(validations, lambda, scale)?.step === step);
  const trained = (source: ComparedSource, label: string, validations: readonly Validation[]): ComparedModel[] =>
    validations
      .map((validation) => ({ validation, chosenAt: choosing(validations, validation) }))
      .filter(({ validation, chosenAt }) => validation === validations.at(-1) || chosenAt.length > 0)
      .filter(({ validation }) => validation.step > 0)
      .map(({ validation, chosenAt }) => model(source, label, validation, chosenAt));
  return [
    model("start", "starting model", start, choosing(run, start)),
    ...trained("alone", "photos alone (L_sim)", alone),
    ...trained("run", "RPO", run),
  ];
}
