import { printable } from "../system/printable.ts";
import { currentStatus, type CurrentStatus } from "../benchmark/status.ts";
import { jobStates, type JobStatus } from "../queue/queue.ts";
import { EXIT } from "./failure.ts";
import { parseTable, type GivenSettings } from "../settings/parse.ts";
import { REDIS } from "../settings/worker.ts";

/** `rpo bench status`: what the benchmark wrote last, or with --redis what the queue says now. @returns the exit code */
export async function benchStatusCommand(
  output: string,
  given: GivenSettings,
  { json }: { readonly json: boolean },
): Promise<number> {
  const { redis } = parseTable(REDIS, given);
  const say = (line: string) => void process.stderr.write(`${printable(line)}\n`);
  const status = await currentStatus(output, { redis, say });
  process.stdout.write(json ? `${JSON.stringify(status)}\n` : textOf(status));
  return EXIT.done;
}

function textOf({ time, rows, jobs, stopped }: CurrentStatus): string {
  const counts = jobStates.map((state) => `${jobs.filter((job) => job.state === state).length} ${state}`);
  const lines = jobStates
    .filter((state) => state !== "done")
    .flatMap((state) => jobs.filter((job) => job.state === state).map(lineOf));
  return [
    `${rows.done} of ${rows.total} rows, ${time.slice(0, 19).replace("T", " ")} UTC`,
    ...(stopped && rows.done < rows.total ? ["nothing works on it now; what it did last:"] : []),
    `jobs: ${counts.join(", ")}`,
    ...lines,
    "",
  ].join("\n");
}

function lineOf({ state, label, progress, machine, failures, error }: JobStatus): string {
  const parts = [
    state.padEnd(8),
    label,
    state === "running" && progress !== undefined ? `${progress.phase} ${progress.done}/${progress.total}` : "",
    state === "running" ? (machine ?? "") : "",
    failures > 0 ? `failed ${failures} times: ${error ?? "?"}` : state === "failed" ? (error ?? "") : "",
  ];
  return parts.filter((part) => part !== "").join("  ");
}
