import { dirname, resolve } from "node:path";
import { checkRun, companionsOfDemo, defaultOutput, readAssets, readReport, type Companion } from "../report/read.ts";
import { damagedText, renderReport } from "../report/render.ts";
import { writeFileAtomic } from "../system/files.ts";
import { EXIT } from "./failure.ts";
import { parseTable, type GivenSettings } from "../settings/parse.ts";
import { REPORT } from "../settings/report.ts";
import { checkFolder } from "../commands/paths.ts";

/** `rpo report`. @returns the exit code */
export async function reportCommand(
  run: string,
  given: GivenSettings,
  { json }: { readonly json: boolean },
): Promise<number> {
  const { output = defaultOutput(run), compare } = parseTable(REPORT, given);
  await checkRun(run);
  await checkFolder("output", dirname(resolve(output)), "a file's name in a folder that is there");
  const companions = compare === undefined ? await companionsOfDemo(run) : [{ run: compare, label: compare }];
  const bytes = await writeReport(run, output, companions);
  if (json) process.stdout.write(`${JSON.stringify({ type: "report", output, bytes })}\n`);
  else process.stdout.write(`${output}\n`);
  return EXIT.done;
}

/** Writes the report of a run. @returns its size in bytes */
export async function writeReport(run: string, output: string, companions: readonly Companion[]): Promise<number> {
  const view = await readReport(run, { companions, now: new Date() });
  if (view.damaged.length > 0) process.stderr.write(`warning: ${damagedText(view.damaged)}\n`);
  const page = Buffer.from(renderReport(view, await readAssets()));
  await writeFileAtomic(output, page);
  return page.byteLength;
}
