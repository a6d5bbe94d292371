import { UnrecoverableError, Worker, WaitingError } from "bullmq";
import { parseAs } from "../../tensor/json.ts";
import { envelopeSchema, type Envelope } from "./outside.ts";
import { Interrupted, TRIES, type JobProgress, type Perform } from "./queue.ts";
import { isOutage, troubleReporter, type RedisAddress } from "./redis-connection.ts";
import { QUEUE_NAME } from "./redis-queue.ts";

export interface RedisWorkerOptions<Data, Result> {
  readonly address: RedisAddress;
  readonly name?: string;
  readonly perform: Perform<Data, Result>;
  readonly concurrency?: number;
  /** What status calls this machine. */
  readonly machine: string;
  /** A worker that does not renew its lock on a job for so long is taken for dead. */
  readonly lockMs?: number;
  /** How often dead workers' jobs are looked for. */
  readonly stalledMs?: number;
  readonly say?: (line: string) => void;
  readonly onJob?: (label: string, event: "begins" | "done" | "failed" | "given back", detail?: string) => void;
}

const PROGRESS_EVERY_MS = 500;

/**
 * Takes jobs from a Redis queue until it is stopped. Locks are renewed by this thread, which must not be blocked: `perform` leaves the
 * engine to another one.
 * @returns a function that gives back the jobs at hand, as far as they are, and stops
 */
export function startRedisWorker<Data, Result>({
  address,
  name = QUEUE_NAME,
  perform,
  concurrency = 1,
  machine,
  lockMs = 20_000,
  stalledMs = 10_000,
  say = () => undefined,
  onJob = () => undefined,
}: RedisWorkerOptions<Data, Result>): { close(): Promise<void> } {
  const trouble = troubleReporter(address.name, say);
  const running = new Map<string, AbortController>();
  let closing = false;

  const worker = new Worker<unknown, Result>(
    name,
    async (job, token) => {
      const id = job.id ?? "";
      const { label, data } = openEnvelope(id, job.data);
      const stop = new AbortController();
      if (closing) stop.abort();
      running.set(id, stop);
      onJob(label, "begins");
      let reported = -Infinity;
      const report = (progress: JobProgress) => {
        const now = performance.now();
        if (now - reported < PROGRESS_EVERY_MS) return;
        reported = now;
        // progress that is lost in an outage is of no use later
        job.updateProgress({ ...progress }).catch(() => undefined);
      };
      try {
        const result = await perform(
          { id, label, priority: job.opts.priority ?? 1, data: data as Data },
          { signal: stop.signal, report },
        );
        onJob(label, "done");
        return result;
      } catch (error) {
        if (error instanceof Interrupted && closing) {
          onJob(label, "given back");
          await job.moveToWait(token);
          throw new WaitingError();
        }
        onJob(label, "failed", error instanceof Error ? error.message : String(error));
        throw error;
      } finally {
        if (running.get(id) === stop) running.delete(id);
      }
    },
    {
      connection: address.options,
      concurrency,
      name: machine,
      lockDuration: lockMs,
      stalledInterval: stalledMs,
      // a job may be begun TRIES times, so its worker may die once less before it fails
      maxStalledCount: TRIES - 1,
    },
  );
  worker.on("error", (error) => (isOutage(error) ? trouble.lost(error) : trouble.complain("it answers", error)));
  worker.on("ready", () => trouble.back());
  // Another worker may have the job by now: this one's result would count for nothing.
  worker.on("lockRenewalFailed", (ids) => {
    for (const id of ids) running.get(id)?.abort();
  });

  function openEnvelope(id: string, content: unknown): Envelope {
    try {
      return parseAs(envelopeSchema, content, "what it holds", UnrecoverableError);
    } catch (error) {
      trouble.complain(`job ${id} is refused`, error);
      throw error; // and not tried again
    }
  }

  return {
    async close() {
      closing = true;
      const closed = worker.close();
      for (const stop of running.values()) stop.abort();
      await closed;
    },
  };
}
