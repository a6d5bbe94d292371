import { bootstrapMean, type Interval } from "../../reward/bootstrap.ts";
import { mean } from "../../reward/statistics.ts";
import { Random } from "../../tensor/random.ts";
import { DEFAULT_LAMBDA, type Method } from "../methods.ts";
import type { Budget } from "../../settings/bench.ts";
import type { Row } from "./results.ts";
import { rankOf, valueOf, type Measure } from "./summary.ts";

/** What every other row is compared with: the paper's method at the lambda of the table's harmonic mean. */
export const BASELINE = { method: "rpo", lambda: DEFAULT_LAMBDA } as const;

/** Of the pictures; what a row costs is told by its line. */
const PAIRED: readonly Measure[] = ["dino", "clipI", "clipT", "alignI", "alignT", "harmonic"];

/** What a row has over RPO of the same subject and seed. */
export interface PairedFigure {
  /** Over subjects, a subject's value being the mean over its seeds. */
  readonly mean: number;
  /** Of the mean: 95 % of the bootstrap over subjects; undefined for a single subject. */
  readonly interval: Interval | undefined;
  /** In how many of the pairs it is above 0. */
  readonly above: number;
  readonly pairs: number;
}

/** A method's differences to RPO. */
export interface Difference {
  readonly method: Method;
  readonly lambda: number | null;
  readonly figures: Readonly<Partial<Record<Measure, PairedFigure>>>;
}

/**
 * Every row less {@link BASELINE} of the same subject, seed and budget: subjects differ more than methods do, and that falls out of a pair.
 * The photos are nobody's pair, for they have no seed.
 * @param budget of the table; undefined for that of equal steps
 * @returns a line for each method that shares a pair with the baseline, in the table's order; depends on the rows alone, not on their order
 */
export function differencesOf(rows: readonly Row[], budget: Budget | undefined): Difference[] {
  const mine = rows.filter((row) => row.budget === budget && row.seed !== null);
  const baseline = new Map(mine.filter(isBaseline).map((row) => [pairOf(row), row]));
  const groups = new Map<number, Row[]>();
  for (const row of mine.filter((row) => !isBaseline(row)))
    groups.set(rankOf(row), [...(groups.get(rankOf(row)) ?? []), row]);
  return [...groups]
    .sort(([a], [b]) => a - b)
    .map(([, own]) => {
      const [{ method, lambda }] = own;
      const figures: Partial<Record<Measure, PairedFigure>> = {};
      for (const measure of PAIRED) {
        const figure = figureOf(own, baseline, measure);
        if (figure !== undefined) figures[measure] = figure;
      }
      return { method, lambda, figures };
    })
    .filter(({ figures }) => Object.keys(figures).length > 0);
}

function figureOf(
  rows: readonly Row[],
  baseline: ReadonlyMap<string, Row>,
  measure: Measure,
): PairedFigure | undefined {
  const subjects = [...new Set(rows.map(({ subject }) => subject))].sort();
  const differences = subjects.map((subject) =>
    rows
      .filter((row) => row.subject === subject)
      .sort((a, b) => (a.seed ?? 0) - (b.seed ?? 0))
      .flatMap((row) => {
        const base = baseline.get(pairOf(row));
        const [a, b] = [valueOf(row, measure), base === undefined ? null : valueOf(base, measure)];
        return a === null || b === null ? [] : [a - b];
      }),
  );
  return pairedFigure(differences, measure);
}

/** @param differences of each subject, over its seeds @param measure names the bootstrap's draws @returns undefined of none */
export function pairedFigure(differences: readonly (readonly number[])[], measure: Measure): PairedFigure | undefined {
  const means = differences.filter((own) => own.length > 0).map((own) => mean(own));
  if (means.length === 0) return undefined;
  const rng = new Random(0).split("bootstrap", "paired", measure);
  const all = differences.flat();
  return {
    mean: mean(means),
    interval: bootstrapMean(
      means.map((value) => [value]),
      rng,
    ),
    above: all.filter((difference) => difference > 0).length,
    pairs: all.length,
  };
}

function isBaseline({ method, lambda }: Row): boolean {
  return method === BASELINE.method && lambda === BASELINE.lambda;
}

function pairOf({ subject, seed }: Row): string {
  return JSON.stringify([subject, seed]);
}
