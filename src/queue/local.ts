import { setMaxListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import {
  BACKOFF_MS,
  Interrupted,
  JobFailed,
  TRIES,
  type Job,
  type JobProgress,
  type JobQueue,
  type JobState,
  type JobStatus,
  type Perform,
} from "./queue.ts";
import { inFlags } from "../settings/flag-name.ts";

export interface LocalQueueOptions<Data, Result> {
  readonly perform: Perform<Data, Result>;
  /** Jobs at a time. */
  readonly concurrency?: number;
  readonly backoffMs?: number;
  /** The name of this machine in `rpo bench status`. */
  readonly machine?: string;
}

interface Entry<Data, Result> {
  readonly job: Job<Data>;
  readonly ended: Promise<Result>;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: Error) => void;
  state: JobState;
  /** Whether it waits for its next try after a failure. */
  resting: boolean;
  failures: number;
  progress: JobProgress | undefined;
  error: string | undefined;
}

/** The queue of one process: nothing outlives it but what jobs write. */
export function createLocalQueue<Data, Result>({
  perform,
  concurrency = 1,
  backoffMs = BACKOFF_MS,
  machine,
}: LocalQueueOptions<Data, Result>): JobQueue<Data, Result> {
  const entries = new Map<string, Entry<Data, Result>>();
  const stop = new AbortController();
  // every job that rests listens, and there may be any number
  setMaxListeners(0, stop.signal);
  const running = new Set<Promise<void>>();

  function beginNext(): void {
    while (running.size < concurrency && !stop.signal.aborted) {
      const next = inOrder(entries).find(({ state, resting }) => state === "waiting" && !resting);
      if (next === undefined) return;
      const work = attempt(next).finally(() => {
        running.delete(work);
        beginNext();
      });
      running.add(work);
    }
  }

  async function attempt(entry: Entry<Data, Result>): Promise<void> {
    entry.state = "running";
    try {
      const report = (progress: JobProgress) => (entry.progress = progress);
      const result = await perform(entry.job, { signal: stop.signal, report });
      entry.state = "done";
      entry.resolve(result);
    } catch (error) {
      if (error instanceof Interrupted) {
        entry.state = "waiting";
        entry.reject(error);
        return;
      }
      entry.error = inFlags(error);
      if (++entry.failures >= TRIES) {
        entry.state = "failed";
        entry.reject(new JobFailed(entry.job.label, entry.error));
        return;
      }
      entry.state = "waiting";
      void rest(entry, backoffMs * 2 ** (entry.failures - 1));
    }
  }

  async function rest(entry: Entry<Data, Result>, ms: number): Promise<void> {
    entry.resting = true;
    await sleep(ms, undefined, { signal: stop.signal }).catch(() => undefined);
    entry.resting = false;
    beginNext();
  }

  return {
    run(job) {
      const known = entries.get(job.id);
      if (known !== undefined && known.state !== "failed") return known.ended;
      if (stop.signal.aborted) return Promise.reject(new Interrupted());
      const entry = newEntry<Data, Result>(job);
      entries.set(job.id, entry);
      // Not at once: jobs that are added together are begun in the order of their priorities.
      setImmediate(beginNext);
      return entry.ended;
    },
    list: (prefix = "") =>
      Promise.resolve(
        inOrder(entries)
          .filter(({ job }) => job.id.startsWith(prefix))
          .map((entry) => statusOf(entry, machine)),
      ),
    async close() {
      stop.abort();
      await Promise.all(running);
      for (const entry of entries.values()) if (entry.state === "waiting") entry.reject(new Interrupted());
    },
  };
}

function newEntry<Data, Result>(job: Job<Data>): Entry<Data, Result> {
  let settle: Pick<Entry<Data, Result>, "resolve" | "reject"> | undefined;
  const ended = new Promise<Result>((resolve, reject) => (settle = { resolve, reject }));
  if (settle === undefined) throw new Error("a promise calls its executor at once");
  return {
    ...settle,
    job,
    ended,
    state: "waiting",
    resting: false,
    failures: 0,
    progress: undefined,
    error: undefined,
  };
}

/** By priority, then as they came. */
function inOrder<Data, Result>(entries: ReadonlyMap<string, Entry<Data, Result>>): Entry<Data, Result>[] {
  return [...entries.values()].sort((a, b) => a.job.priority - b.job.priority);
}

function statusOf<Data, Result>(entry: Entry<Data, Result>, machine: string | undefined): JobStatus {
  const { job, state, failures, progress, error } = entry;
  return {
    id: job.id,
    label: job.label,
    state,
    failures,
    progress,
    error,
    machine: state === "waiting" ? undefined : machine,
  };
}
