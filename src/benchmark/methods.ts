import { bestStep, untilStop } from "../reward/choice.ts";
import type { RewardScale, Validation } from "../reward/scale.ts";
import type { Budget } from "../settings/bench.ts";
import { METHOD_NAMES, type MethodName } from "../settings/learning.ts";

/** The paper's ablation: what a benchmark compares where nothing else is asked for. */
export const ABLATION = ["references", "base", "l-sim", "l-sim+selection", "l-pref-only-late", "rpo"] as const;

/** The other ways to train: each as it is published, its last step, and with the reward's choice among its validations. */
type Rival = Exclude<MethodName, "rpo">;
const RIVALS = METHOD_NAMES.filter((name): name is Rival => name !== "rpo");
const WITH_SELECTION = "+selection";

export type Method = (typeof ABLATION)[number] | Rival | `${Rival}+selection`;

/** All that a benchmark can compare, in the order of its tables. */
export const METHODS = [
  ...ABLATION,
  ...RIVALS.flatMap((name) => [name, `${name}${WITH_SELECTION}`] as const),
] satisfies Method[] as unknown as readonly [Method, ...Method[]];

/** The lambdas that `rpo` is tried with. */
export const RPO_LAMBDAS = [0.3, 0.5, 0.7] as const;
/** The lambda of `l-sim+selection`, and of the harmonic mean in tables. */
export const DEFAULT_LAMBDA = 0.5;

/** Where the pictures of a table's row come from. */
export type Source =
  /** The subject's photos themselves. */
  | { readonly from: "photos" }
  /** The model before training. */
  | { readonly from: "start" }
  /** A training run: its last step, or what its validations choose at the row's lambda. */
  | {
      readonly from: "run";
      /** How it is trained. */
      readonly trainedBy: MethodName;
      /** Of RPO. */
      readonly preference: boolean;
      readonly pick: "last" | "best";
    };

/** A row of the table, for every subject and seed. */
export interface Variant {
  readonly method: Method;
  /** Null where nothing is chosen by a reward. */
  readonly lambda: number | null;
  readonly source: Source;
  /** What its training may take, in seconds; absent: all of its steps. */
  readonly budget?: Budget;
}

/**
 * The rows of the methods, after the paper's ablation.
 *
 * Equal work is named once. What a step does depends on the seed and its number alone, so a run that stops early is the beginning of the
 * one that does not. Hence two runs a subject and seed, both to the last step, serve every row: L_sim alone (`l-sim` takes its last
 * step, `l-sim+selection` what early stopping would have chosen), and L_sim + L_pref (`l-pref-only-late` takes the last step, `rpo` what
 * early stopping would have chosen at each lambda). Each other way to train is one run more, which serves two rows. Early stopping is replayed on the validations, see {@link choose}.
 * @param budget adds the rows of trainings once more, at equal seconds
 */
export function variantsOf(methods: readonly Method[], budget?: Budget): Variant[] {
  const rows = METHODS.filter((method) => methods.includes(method)).flatMap((method) =>
    linesOf(method).map((variant): Variant => ({ method, ...variant })),
  );
  if (budget === undefined) return rows;
  return [...rows, ...rows.filter(({ source }) => source.from === "run").map((row) => ({ ...row, budget }))];
}

function linesOf(method: Method): readonly Omit<Variant, "method">[] {
  const run = { from: "run", trainedBy: "rpo" } as const;
  const ablation: Readonly<Record<(typeof ABLATION)[number], readonly Omit<Variant, "method">[]>> = {
    references: [{ lambda: null, source: { from: "photos" } }],
    base: [{ lambda: null, source: { from: "start" } }],
    "l-sim": [{ lambda: null, source: { ...run, preference: false, pick: "last" } }],
    "l-sim+selection": [{ lambda: DEFAULT_LAMBDA, source: { ...run, preference: false, pick: "best" } }],
    "l-pref-only-late": [{ lambda: null, source: { ...run, preference: true, pick: "last" } }],
    rpo: RPO_LAMBDAS.map((lambda) => ({ lambda, source: { ...run, preference: true, pick: "best" } })),
  };
  if (isAblation(method)) return ablation[method];
  const trainedBy = RIVALS.find((name) => method === name || method === `${name}${WITH_SELECTION}`) ?? "rpo";
  const isChosen = method.endsWith(WITH_SELECTION);
  const source = { from: "run", trainedBy, preference: true, pick: isChosen ? "best" : "last" } as const;
  return [{ lambda: isChosen ? DEFAULT_LAMBDA : null, source }];
}

function isAblation(method: Method): method is (typeof ABLATION)[number] {
  return ABLATION.some((each) => each === method);
}

/** The ways to train that rows need, RPO's among them where nothing but its own rows is asked for. */
export function trainersOf(methods: readonly Method[]): MethodName[] {
  const used = variantsOf(methods).flatMap(({ source }) => (source.from === "run" ? [source.trainedBy] : []));
  return [...new Set(used)];
}

/** A validation of a finished run. */
export interface TimedValidation extends Validation {
  /** Spent in training steps until then. */
  readonly seconds: number;
}

export interface Chosen {
  /** The step whose checkpoint is used; 0 is the starting model. */
  readonly checkpoint: number;
  /** The training it took: until early stopping ended it, or to the end. */
  readonly steps: number;
  readonly seconds: number;
}

/**
 * The checkpoint that a row uses, and what its training would have cost by itself. `lambda` null is the last one. Otherwise early
 * stopping is replayed.
 * @param options.within seconds after which training ends anyway. Default: none
 * @throws RangeError for a run without validations
 */
export function choose(
  all: readonly TimedValidation[],
  lambda: number | null,
  {
    patience,
    scale,
    within = Infinity,
  }: { readonly patience: number; readonly scale: RewardScale; readonly within?: number },
): Chosen {
  const validations = all.filter(({ seconds }) => seconds <= within);
  const last = validations.at(-1);
  if (last === undefined) throw new RangeError("a run without a validation has no checkpoint to choose");
  if (lambda === null) return { checkpoint: last.step, steps: last.step, seconds: last.seconds };
  const seen = untilStop(validations, { lambda, patience, scale });
  const chosen = bestStep(seen, lambda, scale);
  if (chosen === undefined) throw new RangeError("rewards that are no numbers choose nothing");
  const { step, seconds } = seen[seen.length - 1];
  return { checkpoint: chosen.step, steps: step, seconds };
}

/** "rpo λ 0.3" */
export function labelOf({ method, lambda }: Pick<Variant, "method" | "lambda">): string {
  return lambda === null ? method : `${method} λ ${lambda}`;
}
