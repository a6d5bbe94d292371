import { join } from "node:path";
import { renderBench } from "../benchmark/results/page.ts";
import { readRows } from "../benchmark/results/results.ts";
import { summarizeRows } from "../benchmark/results/summary.ts";
import { TABLE_NOTES, textTable, toLatex, toMarkdown, toText } from "../benchmark/results/tables.ts";
import { readBenchView } from "../benchmark/results/view.ts";
import { readAssets } from "../report/read.ts";
import { RESULTS_FILE } from "../benchmark/files.ts";
import { UsageError } from "../system/errors.ts";
import { exists, writeFileAtomic } from "../system/files.ts";
import { readStatus } from "../benchmark/run.ts";
import { insideOf } from "../system/inside.ts";
import { EXIT } from "./failure.ts";

/** `rpo bench report`: table.md, table.tex and report.html in the benchmark's folder, the table on the terminal. @returns the exit code */
export async function benchReportCommand(output: string, { json }: { readonly json: boolean }): Promise<number> {
  const path = join(output, RESULTS_FILE);
  if (!(await exists(path))) throw new UsageError(`${output}: no benchmark's results here (expected ${RESULTS_FILE})`);
  insideOf(output, RESULTS_FILE);
  const { rows } = await readRows(path);
  if (rows.length === 0) throw new UsageError(`${path}: no row is complete yet; see rpo bench status ${output}`);
  const { done = 0 } = (await readStatus(output).catch(() => undefined))?.rows ?? {};
  if (done > rows.length)
    process.stderr.write(
      `warning: ${path} has ${rows.length} rows of ${done} that were done; rpo bench goes on with it\n`,
    );
  const lines = summarizeRows(rows);
  const view = await readBenchView(output, rows, { now: new Date() });
  const captions = { title: view.name, notes: TABLE_NOTES };
  const table = textTable(lines, { intervals: true });
  await writeFileAtomic(join(output, "table.md"), toMarkdown(table, captions));
  await writeFileAtomic(join(output, "table.tex"), toLatex(table, captions));
  await writeFileAtomic(join(output, "report.html"), renderBench(view, (await readAssets()).style));
  process.stdout.write(json ? `${JSON.stringify(lines)}\n` : toText(textTable(lines, { intervals: false })));
  process.stderr.write(`${["table.md", "table.tex", "report.html"].map((name) => join(output, name)).join(", ")}\n`);
  return EXIT.done;
}
