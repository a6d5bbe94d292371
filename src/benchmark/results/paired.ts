import type { Interval } from "../../reward/bootstrap.ts";
import { mean } from "../../reward/statistics.ts";
import { DEFAULT_LAMBDA } from "../methods.ts";
import { bySubject, overSubjects, pairOf, valueOf, type Measure } from "./measures.ts";
import type { Row } from "./results.ts";

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

/** {@link BASELINE}'s rows, by what another row has in common with its pair. */
export function baselinesOf(rows: readonly Row[]): ReadonlyMap<string, Row> {
  return new Map(rows.filter(isBaseline).map((row) => [keyOf(row), row]));
}

/**
 * A line's rows less {@link BASELINE} of the same subject, seed and budget: subjects differ more than methods do, and that falls out of a pair.
 * The photos are nobody's pair, for they have no seed.
 * @returns undefined where no row has a pair, or the line is the baseline's own
 */
export function lessBaseline(
  rows: readonly Row[],
  baselines: ReadonlyMap<string, Row>,
): Readonly<Partial<Record<Measure, PairedFigure>>> | undefined {
  if (isBaseline(rows[0])) return undefined;
  const figures: Partial<Record<Measure, PairedFigure>> = {};
  for (const measure of PAIRED) {
    const differences = bySubject(rows, (row) => {
      const base = baselines.get(keyOf(row));
      const [a, b] = [valueOf(row, measure), base === undefined ? null : valueOf(base, measure)];
      return a === null || b === null ? null : a - b;
    });
    const figure = pairedFigure(differences, measure);
    if (figure !== undefined) figures[measure] = figure;
  }
  return Object.keys(figures).length === 0 ? undefined : figures;
}

/** @param differences of each subject, over its seeds @param measure names the bootstrap's draws @returns undefined of none */
export function pairedFigure(differences: readonly (readonly number[])[], measure: Measure): PairedFigure | undefined {
  if (differences.length === 0) return undefined;
  const { means, interval } = overSubjects(differences, "paired", measure);
  const all = differences.flat();
  return {
    mean: mean(means),
    interval,
    above: all.filter((difference) => difference > 0).length,
    pairs: all.length,
  };
}

function isBaseline({ method, lambda }: Row): boolean {
  return method === BASELINE.method && lambda === BASELINE.lambda;
}

function keyOf(row: Row): string {
  return `${pairOf(row)} ${row.budget ?? ""}`;
}
