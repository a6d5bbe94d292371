import { join } from "node:path";
import type { Evaluation } from "../commands/evaluate/files.ts";
import { runTask } from "../engine/host.ts";
import { resolveEvaluation } from "../commands/evaluate/resolve.ts";
import type { GivenSettings } from "../settings/parse.ts";
import { meanAndDeviation, summarize } from "../reward/statistics.ts";
import { terminal } from "./terminal.ts";
import { EXIT } from "./failure.ts";
import { leaveOnInterrupt } from "./interrupt.ts";
import { createProgress } from "./progress.ts";
import { showWork } from "./show-work.ts";

/** `rpo evaluate`. @returns the exit code */
export async function evaluateCommand(given: GivenSettings, { json }: { readonly json: boolean }): Promise<number> {
  const settings = await resolveEvaluation(given, terminal);
  const progress = createProgress();
  const interrupt = leaveOnInterrupt(() => progress.stop());
  try {
    const evaluation = await runTask("evaluate", settings, {
      onEvent: showWork(progress, { json: false }),
    });
    progress.stop();
    process.stdout.write(json ? `${JSON.stringify(evaluation)}\n` : tableOf(evaluation));
    if (settings.output !== undefined)
      process.stderr.write(`written to ${join(settings.output, "evaluation.json")} and .csv\n`);
    return EXIT.done;
  } finally {
    progress.stop();
    interrupt.release();
  }
}

const ROWS = [
  ["dino", "DINO"],
  ["dinoMasked", "DINO, masked"],
  ["clipI", "CLIP-I"],
  ["clipT", "CLIP-T"],
  ["alignI", "ALIGN-I"],
  ["alignT", "ALIGN-T"],
] as const;

function tableOf({ pictures, copyRate, diversity, references }: Evaluation): string {
  const rows = ROWS.flatMap(([key, label]) => {
    const values = pictures.flatMap((picture) => picture[key] ?? []);
    if (values.length === 0) return [];
    return [`${label.padEnd(14)} ${meanAndDeviation(summarize(values), 3)}`];
  });
  if (copyRate !== undefined) rows.push(`${"copy rate".padEnd(14)} ${copyRate.toFixed(3)}`);
  if (diversity !== undefined) rows.push(`${"diversity".padEnd(14)} ${diversity.toFixed(3)}`);
  const plural = (n: number, noun: string) => `${n} ${noun}${n === 1 ? "" : "s"}`;
  return `${plural(pictures.length, "picture")}, ${plural(references.length, "reference")}; mean ± deviation\n${rows.join("\n")}\n`;
}
