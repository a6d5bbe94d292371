import { writeBenchReport } from "../benchmark/report.ts";
import { tablesOf, tablesToText } from "../benchmark/results/tables.ts";
import { EXIT } from "./failure.ts";

/** `rpo bench report`: tables and a page in the benchmark's folder, the table on the terminal. @returns the exit code */
export async function benchReportCommand(output: string, { json }: { readonly json: boolean }): Promise<number> {
  const { name, lines, files, rows } = await writeBenchReport(output, { now: new Date() });
  if (rows.done > rows.complete)
    process.stderr.write(
      `warning: ${rows.path} has ${rows.complete} rows of ${rows.done} that were done; rpo bench goes on with it\n`,
    );
  process.stdout.write(json ? `${JSON.stringify(lines)}\n` : tablesToText(tablesOf(lines, { intervals: false, name })));
  process.stderr.write(`${files.join(", ")}\n`);
  return EXIT.done;
}
