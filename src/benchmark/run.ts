import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { ORIGINS_FILE, parseOrigin, RESULTS_FILE, STATUS_FILE, type Origin } from "./files.ts";
import { keyOf, openResults, readRows, type Results, type Row, type RowKey } from "./results/results.ts";
import { writeJson } from "../system/files.ts";
import { lockFolder } from "../system/lock.ts";
import { openLines, readLines } from "../system/line-file.ts";
import type { JobQueue } from "../queue/queue.ts";
import { coordinate, rowsOf, type Failure } from "./coordinate.ts";
import { clearFinished } from "./folder.ts";
import { hashPlan } from "./hashes.ts";
import { keepPlan } from "./keep-plan.ts";
import type { BenchPlan } from "./plan.ts";
import { jobPrefix, type BenchStatus } from "./status.ts";
import { RESULTS, type TaskReference } from "./tasks/tasks.ts";

export interface RunBenchOptions {
  readonly plan: BenchPlan;
  readonly openQueue: () => JobQueue<TaskReference, null>;
  readonly signal: AbortSignal;
  readonly onStatus: (status: BenchStatus) => void;
  readonly onRow: (row: Row) => void;
  /** A line to know about, where nothing is wrong. */
  readonly warn: (line: string) => void;
  readonly diskLagMs?: number;
}

const STATUS_EVERY_MS = 1000;

/**
 * Runs a benchmark, or goes on with it.
 * @returns the rows that failed
 * @throws UsageError when what it reads changed, or another works on it; Interrupted
 */
export async function runBenchmark(options: RunBenchOptions): Promise<Failure[]> {
  const { plan, signal } = options;
  await mkdir(plan.output, { recursive: true });
  const unlock = await lockFolder(plan.output, { command: "rpo bench", otherMachines: true });
  try {
    for (const kind of Object.keys(RESULTS)) await clearFinished(join(plan.output, kind));
    const hashes = await hashPlan(plan);
    await keepPlan(plan, hashes, { ...(await readRows(join(plan.output, RESULTS_FILE))), warn: options.warn });
    const results = await openResults(join(plan.output, RESULTS_FILE));
    const origins = await openOrigins(join(plan.output, ORIGINS_FILE));
    const queue = options.openQueue();
    const close = () => void queue.close();
    signal.addEventListener("abort", close);
    const watch = watchStatus(options, queue, results);
    try {
      if (signal.aborted) close();
      return await coordinate({
        plan,
        hashes,
        queue,
        results,
        diskLagMs: options.diskLagMs,
        isComplete: (key) => results.has(key) && origins.has(key),
        async onRow(row, origin) {
          await origins.append(origin);
          options.onRow(row);
        },
      });
    } finally {
      await watch.end(!signal.aborted);
      signal.removeEventListener("abort", close);
      await queue.close();
      await results.close();
      await origins.close();
    }
  } finally {
    await unlock();
  }
}

/** The file of origins: a row whose line is missing or damaged has none. */
async function openOrigins(path: string) {
  const { lines, length } = await readLines(path);
  const known = new Set(
    lines.flatMap((line) => {
      const origin = parseOrigin(line);
      return origin === undefined ? [] : [keyOf(origin)];
    }),
  );
  const file = await openLines(path, length);
  return {
    has: (key: RowKey) => known.has(keyOf(key)),
    append: (origin: Origin) => file.append(JSON.stringify(origin)),
    close: () => file.close(),
  };
}

/** Looks at the jobs every second, tells the listener, and writes status.json. */
function watchStatus({ plan, onStatus }: RunBenchOptions, queue: JobQueue<TaskReference, null>, results: Results) {
  const rows = rowsOf(plan).map(({ subject, variant, seed }) => ({ subject: subject.name, ...variant, seed }));
  let looking: Promise<void> | undefined;
  const look = async () => {
    const jobs = await queue.list(jobPrefix(plan.output));
    const status: BenchStatus = {
      time: new Date().toISOString(),
      rows: { done: rows.filter((row) => results.has(row)).length, total: rows.length },
      jobs,
    };
    onStatus(status);
    await writeJson(join(plan.output, STATUS_FILE), status);
  };
  const timer = setInterval(() => {
    looking ??= look()
      .catch(() => undefined)
      .finally(() => (looking = undefined));
  }, STATUS_EVERY_MS);
  return {
    /** @param last whether to look once more */
    async end(last: boolean) {
      clearInterval(timer);
      await looking; // or an older status would replace the last one
      if (last) await look().catch(() => undefined);
    },
  };
}
