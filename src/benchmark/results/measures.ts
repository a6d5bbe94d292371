import { bootstrapMean, type Interval } from "../../reward/bootstrap.ts";
import { harmonicReward } from "../../reward/reward.ts";
import { Random } from "../../tensor/random.ts";
import { mean } from "../../reward/statistics.ts";
import { DEFAULT_LAMBDA } from "../methods.ts";
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

/** A row's value; null where it has none. "harmonic" is the harmonic mean of its ALIGN-I and ALIGN-T. */
export function valueOf(row: Row, measure: Measure): number | null {
  if (measure !== "harmonic") return row[measure];
  const { alignI, alignT } = row;
  return alignI === null || alignT === null ? null : harmonicReward({ alignI, alignT }, DEFAULT_LAMBDA);
}

/** A row's subject and seed, which the rows of other methods have too. */
export function pairOf({ subject, seed }: { readonly subject: string; readonly seed: number | null }): string {
  return JSON.stringify([subject, seed]);
}

/** Values of rows by their subjects, in a fixed order: those of a subject's seeds together. */
export function bySubject<T extends Pick<Row, "subject" | "seed">>(
  rows: readonly T[],
  valueOf: (row: T) => number | null,
): number[][] {
  const subjects = [...new Set(rows.map(({ subject }) => subject))].sort();
  const values = subjects.map((subject) =>
    rows
      .filter((row) => row.subject === subject)
      .sort((a, b) => (a.seed ?? 0) - (b.seed ?? 0))
      .flatMap((row) => valueOf(row) ?? []),
  );
  return values.filter(({ length }) => length > 0);
}

/** Means of subjects, each over its seeds, and the 95 % interval of their mean by the bootstrap. @param draws names its draws */
export function overSubjects(
  values: readonly (readonly number[])[],
  ...draws: readonly string[]
): { readonly means: readonly number[]; readonly interval: Interval | undefined } {
  const means = values.map((own) => mean(own));
  const groups = means.map((value) => [value]);
  return { means, interval: bootstrapMean(groups, new Random(0).split("bootstrap", ...draws)) };
}
