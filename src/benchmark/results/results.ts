import { z } from "zod";
import { UsageError } from "../../system/errors.ts";
import { openLines, readLines } from "../../system/line-file.ts";
import { pictureSeed as seed, stepNumber } from "../../runs/event-fields.ts";
import { amount, cosine, distance, share, wholeFrom } from "../../system/numbers.ts";
import { parseBenchLine } from "../files.ts";
import { budgetSchema } from "../../settings/bench.ts";
import { METHODS } from "../methods.ts";

/** Pictures of a row: --pictures and --prompts-per-subject end at a thousand each. */
export const MOST_PICTURES = 1e6;

/** A line of results.jsonl, its keys in this order. Scores whose judge was missing, or that mean nothing for the row, are null. */
const rowSchema = z.strictObject({
  subject: z.string(),
  method: z.enum(METHODS),
  lambda: share.nullable(),
  /** Null for the photos themselves. */
  seed: seed.nullable(),
  /** What its training might take, in seconds, or as RPO's own; absent: all of its steps. */
  budget: budgetSchema.optional(),
  /** Training steps taken; see `choose`. */
  steps: stepNumber,
  /** Seconds spent in them. */
  seconds: amount,
  /** Gigabytes, the most that the process held while it trained; rows of earlier versions do not say. */
  memory: amount.nullable().default(null),
  /** How many were judged. */
  pictures: wholeFrom(0, MOST_PICTURES),
  dino: cosine.nullable(),
  clipI: cosine.nullable(),
  clipT: cosine.nullable(),
  alignI: share.nullable(),
  alignT: share.nullable(),
  copyRate: share.nullable(),
  /** 1 - cosine. */
  diversity: distance.nullable(),
});
export type Row = z.output<typeof rowSchema>;
export type RowKey = Pick<Row, "subject" | "method" | "lambda" | "seed" | "budget">;

export function keyOf({ subject, method, lambda, seed, budget }: RowKey): string {
  return JSON.stringify([subject, method, lambda, seed, ...(budget === undefined ? [] : [budget])]);
}

/** The rows of a benchmark so far, on disk. */
export interface Results {
  readonly rows: readonly Row[];
  has(key: RowKey): boolean;
  /** Adds a row, flushed to the disk; one that is there already changes nothing. */
  append(row: Row): Promise<void>;
  close(): Promise<void>;
}

/** The whole lines of results.jsonl, and how many bytes they take. A last line that was cut in the middle is left out, and a row that stands twice counts once. @throws UsageError naming a line that is no row */
export async function readRows(path: string): Promise<{ rows: Row[]; length: number }> {
  const { lines, length } = await readLines(path);
  const rows = new Map<string, Row>();
  for (const [i, line] of lines.entries()) {
    const where = `${path}, line ${i + 1}`;
    const row = parseBenchLine(rowSchema, line, where);
    const before = rows.get(keyOf(row));
    if (before !== undefined && JSON.stringify(before) !== JSON.stringify(row))
      throw new UsageError(`${where}: this row was there before, with other figures; remove one of the two lines`);
    rows.set(keyOf(row), row);
  }
  return { rows: [...rows.values()], length };
}

/** Opens the file for more rows; a last line that was cut in the middle is dropped. @throws UsageError naming a line that is no row */
export async function openResults(path: string): Promise<Results> {
  const { rows, length } = await readRows(path);
  const file = await openLines(path, length);
  const known = new Set(rows.map(keyOf));
  return {
    rows,
    has: (key) => known.has(keyOf(key)),
    async append(row) {
      const key = keyOf(row);
      if (known.has(key)) return;
      await file.append(JSON.stringify(rowSchema.parse(row)));
      known.add(key);
      rows.push(row);
    },
    close: () => file.close(),
  };
}
