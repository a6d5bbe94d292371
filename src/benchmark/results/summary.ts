import { summarize, type Summary } from "../../reward/statistics.ts";
import type { Interval } from "../../reward/bootstrap.ts";
import { METHODS, type Method } from "../methods.ts";
import type { Budget } from "../../settings/bench.ts";
import { bySubject, MEASURES, overSubjects, valueOf, type Measure } from "./measures.ts";
import { baselinesOf, lessBaseline, type PairedFigure } from "./paired.ts";
import type { Row } from "./results.ts";

/** Mean and deviation over subjects, a subject's value being the mean over its seeds. */
export interface Figure extends Summary {
  /** Of the mean: 95 % of the bootstrap over subjects; undefined for a single subject. */
  readonly interval: Interval | undefined;
}

/** A row of the table. */
export interface Line {
  readonly method: Method;
  readonly lambda: number | null;
  /** What its trainings might take; absent: all of their steps. */
  readonly budget?: Budget;
  readonly subjects: number;
  /** Rows that went into it: subjects times seeds. */
  readonly rows: number;
  /** A figure that no row has is missing. */
  readonly figures: Readonly<Partial<Record<Measure, Figure>>>;
  /** What its rows have over RPO's of the same subject, seed and budget; absent where they have none beside them. */
  readonly lessRpo?: Readonly<Partial<Record<Measure, PairedFigure>>>;
}

/** The tables' lines: equal steps before equal seconds, methods in their order, lambdas rising. Depends on the rows alone, not on their order. */
export function summarizeRows(rows: readonly Row[]): Line[] {
  const baselines = baselinesOf(rows);
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const key = `${METHODS.indexOf(row.method)} ${row.lambda ?? -1} ${row.budget ?? ""}`;
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()]
    .sort(([a], [b]) => placeOf(a) - placeOf(b) || rankOf(a) - rankOf(b))
    .map((own) => lineOf(own, lessBaseline(own, baselines)));
}

/** Of the table that a row is in: equal steps, RPO's seconds, so many seconds. */
function placeOf({ budget }: Pick<Row, "budget">): number {
  return budget === undefined ? -1 : budget === "rpo" ? 0 : budget;
}

/** The place of a row's line in its table. */
export function rankOf({ method, lambda }: Pick<Row, "method" | "lambda">): number {
  return METHODS.indexOf(method) + (lambda ?? 0) / 10;
}

function lineOf(rows: readonly Row[], lessRpo: Line["lessRpo"]): Line {
  const [{ method, lambda, budget }] = rows;
  const figures: Partial<Record<Measure, Figure>> = {};
  for (const { name } of MEASURES) {
    const values = bySubject(rows, (row) => valueOf(row, name));
    if (values.length === 0) continue;
    const { means, interval } = overSubjects(values, name);
    figures[name] = { ...summarize(means), interval };
  }
  return {
    method,
    lambda,
    ...(budget !== undefined && { budget }),
    subjects: new Set(rows.map(({ subject }) => subject)).size,
    rows: rows.length,
    figures,
    ...(lessRpo !== undefined && { lessRpo }),
  };
}
