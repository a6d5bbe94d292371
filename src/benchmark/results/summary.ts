import { harmonicReward } from "../../reward/reward.ts";
import { Random } from "../../tensor/random.ts";
import { summarize, type Summary } from "../../reward/statistics.ts";
import { bootstrapMean, type Interval } from "../../reward/bootstrap.ts";
import { DEFAULT_LAMBDA, METHODS, type Method } from "../methods.ts";
import type { Budget } from "../../settings/bench.ts";
import type { Row } from "./results.ts";

/** The figures of a table, with their headings and digits. */
export const MEASURES = [
  { name: "dino", label: "DINO", digits: 3 },
  { name: "clipI", label: "CLIP-I", digits: 3 },
  { name: "clipT", label: "CLIP-T", digits: 3 },
  { name: "alignI", label: "ALIGN-I", digits: 3 },
  { name: "alignT", label: "ALIGN-T", digits: 3 },
  { name: "harmonic", label: "harmonic", digits: 3 },
  { name: "copyRate", label: "copies", digits: 3 },
  { name: "diversity", label: "diversity", digits: 3 },
  { name: "steps", label: "steps", digits: 0 },
  { name: "seconds", label: "seconds", digits: 0 },
  { name: "memory", label: "GB", digits: 1 },
] as const;
export type Measure = (typeof MEASURES)[number]["name"];

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
}

/** A row's value; null where it has none. "harmonic" is the harmonic mean of its ALIGN-I and ALIGN-T. */
export function valueOf(row: Row, measure: Measure): number | null {
  if (measure !== "harmonic") return row[measure];
  const { alignI, alignT } = row;
  return alignI === null || alignT === null ? null : harmonicReward({ alignI, alignT }, DEFAULT_LAMBDA);
}

/** The tables' lines: equal steps before equal seconds, methods in their order, lambdas rising. Depends on the rows alone, not on their order. */
export function summarizeRows(rows: readonly Row[]): Line[] {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const key = `${METHODS.indexOf(row.method)} ${row.lambda ?? -1} ${row.budget ?? ""}`;
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()].sort(([a], [b]) => placeOf(a) - placeOf(b) || rankOf(a) - rankOf(b)).map(lineOf);
}

/** Of the table that a row is in: equal steps, RPO's seconds, so many seconds. */
function placeOf({ budget }: Pick<Row, "budget">): number {
  return budget === undefined ? -1 : budget === "rpo" ? 0 : budget;
}

/** The place of a row's line in its table. */
export function rankOf({ method, lambda }: Pick<Row, "method" | "lambda">): number {
  return METHODS.indexOf(method) + (lambda ?? 0) / 10;
}

function lineOf(rows: readonly Row[]): Line {
  const [{ method, lambda, budget }] = rows;
  const subjects = [...new Set(rows.map(({ subject }) => subject))].sort();
  const figures: Partial<Record<Measure, Figure>> = {};
  for (const { name } of MEASURES) {
    const means = subjects.flatMap((subject) => {
      const mine = rows.filter((row) => row.subject === subject).sort((a, b) => (a.seed ?? 0) - (b.seed ?? 0));
      const values = mine.flatMap((row) => valueOf(row, name) ?? []);
      return values.length === 0 ? [] : [summarize(values).mean];
    });
    if (means.length === 0) continue;
    const rng = new Random(0).split("bootstrap", name);
    figures[name] = {
      ...summarize(means),
      interval: bootstrapMean(
        means.map((mean) => [mean]),
        rng,
      ),
    };
  }
  return {
    method,
    lambda,
    ...(budget !== undefined && { budget }),
    subjects: subjects.length,
    rows: rows.length,
    figures,
  };
}
