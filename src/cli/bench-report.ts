import { writeBenchReport } from "../benchmark/report.ts";
import { tablesOf, tablesToText } from "../benchmark/results/tables.ts";
import { EXIT } from "./failure.ts";

/** `rpo bench report`: tables and a page in the benchmark's folder, the table on the terminal. @returns the exit code */
export async function benchReportCommand(output: string, { json }: { readonly json: boolean }): Promise<number> {
  const { lines, rows, files, source } = await writeBenchReport(output, { now: new Date() });
  if (source.done > rows.length)
    process.stderr.write(
      `warning: ${source.path} has ${rows.length} rows of ${source.done} that were done; rpo bench goes on with it\n`,
    );
  process.stdout.write(json ? `${JSON.stringify(lines)}\n` : tablesToText(tablesOf(rows, { intervals: false })));
  process.stderr.write(`${files.join(", ")}\n`);
  return EXIT.done;
}
