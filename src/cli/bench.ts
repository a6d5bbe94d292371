import { join } from "node:path";
import { tablesOf, tablesToText } from "../benchmark/results/tables.ts";
import { labelOf } from "../benchmark/methods.ts";
import { readRows, type RowKey } from "../benchmark/results/results.ts";
import { summarizeRows } from "../benchmark/results/summary.ts";
import { RESULTS_FILE } from "../benchmark/files.ts";
import { openBenchQueue } from "../benchmark/queue.ts";
import { runBenchmark } from "../benchmark/run.ts";
import type { BenchStatus } from "../benchmark/status.ts";
import { Interrupted } from "../queue/queue.ts";
import type { BenchmarkName } from "../benchmark/names.ts";
import { listSubjects, resolveBench } from "../benchmark/request.ts";
import { terminal } from "./terminal.ts";
import { EXIT } from "./failure.ts";
import { onInterrupt } from "./interrupt.ts";
import type { GivenSettings } from "../settings/parse.ts";
import { createProgress } from "./progress.ts";

export interface BenchFlags {
  readonly listSubjects: boolean;
  readonly json: boolean;
}

/** `rpo bench dreambench` and `rpo bench tinybench`. @returns the exit code */
export async function benchCommand(name: BenchmarkName, given: GivenSettings, flags: BenchFlags): Promise<number> {
  if (flags.listSubjects) {
    process.stdout.write(`${(await listSubjects(name, given)).join("\n")}\n`);
    return EXIT.done;
  }
  const { plan, settings, address } = await resolveBench(name, given, terminal);
  const progress = createProgress();
  const interrupt = onInterrupt(
    (line) => progress.log(line),
    () => progress.stop(),
  );
  try {
    const failures = await runBenchmark({
      plan,
      openQueue: () => openBenchQueue({ address, threads: settings.threads, say: (line) => progress.log(line) }),
      signal: interrupt.signal,
      // a row at equal seconds may train for long, and may need nothing: no time left is to be had of them
      onStatus: ({ rows, jobs }) =>
        progress.update("rows", rows.done, rows.total, running(jobs), { isEven: plan.budget === undefined }),
      warn: (line) => progress.log(`warning: ${line}`),
      onRow(row) {
        if (flags.json) process.stdout.write(`${JSON.stringify({ type: "row", ...row })}\n`);
      },
    });
    progress.stop();
    const { rows } = await readRows(join(plan.output, RESULTS_FILE));
    if (!flags.json && rows.length > 0)
      process.stdout.write(tablesToText(tablesOf(summarizeRows(rows), { intervals: false, name: plan.name })));
    for (const failure of failures) progress.log(`failed: ${nameOf(failure)}: ${failure.reason}`);
    process.stderr.write(
      failures.length > 0
        ? `${failures.length} row${failures.length === 1 ? "" : "s"} failed; the same command tries again\n`
        : `${join(plan.output, RESULTS_FILE)} is complete; rpo bench report ${settings.output} makes tables and a page of it\n`,
    );
    return failures.length > 0 ? EXIT.failed : EXIT.done;
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    progress.stop();
    process.stderr.write("stopped; the same command goes on\n");
    return EXIT.interrupted;
  } finally {
    progress.stop();
    interrupt.release();
  }
}

/** "train dog seed 0: training 40/400" of the first that runs, and how many more do. */
function running(jobs: BenchStatus["jobs"]): string {
  const busy = jobs.filter(({ state }) => state === "running");
  const [first] = busy;
  if (busy.length === 0) return "";
  const { label, progress } = first;
  const at = progress === undefined ? "" : `: ${progress.phase} ${progress.done}/${progress.total}`;
  return `${label}${at}${busy.length > 1 ? `, and ${busy.length - 1} more` : ""}`;
}

/** "dog, rpo λ 0.3, seed 0" */
function nameOf(key: RowKey): string {
  const { budget } = key;
  const within = budget === undefined ? "" : `, in ${budget === "rpo" ? "rpo's" : budget} seconds`;
  return `${key.subject}, ${labelOf(key)}${key.seed === null ? "" : `, seed ${key.seed}`}${within}`;
}
