import { join } from "node:path";
import { readAssets } from "../report/read.ts";
import { UsageError } from "../system/errors.ts";
import { exists, writeFileAtomic } from "../system/files.ts";
import { insideOf } from "../system/inside.ts";
import { RESULTS_FILE } from "./files.ts";
import { atEqualLikeness } from "./results/equal-likeness.ts";
import { renderBench } from "./results/page.ts";
import { readRows } from "./results/results.ts";
import { summarizeRows, type Line } from "./results/summary.ts";
import { likenessTables, tablesOf, tablesToLatex, tablesToMarkdown } from "./results/tables.ts";
import { readBenchView } from "./results/view.ts";
import { readStatus } from "./status.ts";

/** What a benchmark's report was made of. */
export interface BenchReport {
  /** What the benchmark is called. */
  readonly name: string;
  /** The tables'. */
  readonly lines: readonly Line[];
  /** What was written. */
  readonly files: readonly string[];
  /** The file of rows, how many it has, and how many were done: it may have lost some. */
  readonly rows: { readonly path: string; readonly complete: number; readonly done: number };
}

/**
 * Writes a benchmark's tables and page into its folder: table.md, table.tex and report.html.
 * @throws UsageError when no row is there, or a file is damaged or leads out of the folder
 */
export async function writeBenchReport(output: string, { now }: { readonly now: Date }): Promise<BenchReport> {
  const path = join(output, RESULTS_FILE);
  if (!(await exists(path))) throw new UsageError(`${output}: no benchmark's results here (expected ${RESULTS_FILE})`);
  insideOf(output, RESULTS_FILE);
  const { rows } = await readRows(path);
  if (rows.length === 0) throw new UsageError(`${path}: no row is complete yet; see rpo bench status ${output}`);
  const { done = 0 } = (await readStatus(output).catch(() => undefined))?.rows ?? {};
  const lines = summarizeRows(rows);
  const view = await readBenchView(output, rows, { now });
  const tables = [
    ...tablesOf(lines, { intervals: true, name: view.name }),
    ...likenessTables(atEqualLikeness(view.curves)),
  ];
  const contents = {
    "table.md": tablesToMarkdown(tables, view.name),
    "table.tex": tablesToLatex(tables, view.name),
    "report.html": renderBench(view, (await readAssets()).style),
  };
  const files: string[] = [];
  for (const [name, content] of Object.entries(contents)) {
    const file = join(output, name);
    await writeFileAtomic(file, content);
    files.push(file);
  }
  return { name: view.name, lines, files, rows: { path, complete: rows.length, done } };
}
