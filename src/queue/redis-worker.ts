import { UnrecoverableError, Worker, WaitingError } from "bullmq";
import { Redis } from "ioredis";
import { setTimeout as sleep } from "node:timers/promises";
import { inFlags } from "../settings/flag-name.ts";
import { parseAs } from "../system/json.ts";
import { envelopeSchema, type Envelope } from "./outside.ts";
import { Interrupted, TRIES, type JobProgress, type Perform } from "./queue.ts";
import { isOutage, troubleReporter, type RedisAddress } from "./redis-connection.ts";
import { QUEUE_NAME } from "./redis-queue.ts";

export interface RedisWorkerOptions<Data, Result> {
  readonly address: RedisAddress;
  readonly name?: string;
  readonly perform: Perform<Data, Result>;
  readonly concurrency?: number;
  /** The name of this machine in `rpo bench status`. */
  readonly machine: string;
  /** A worker that does not renew its lock on a job for so long is taken for dead. */
  readonly lockMs?: number;
  /** How often dead workers' jobs are looked for. */
  readonly stalledMs?: number;
  readonly say?: (line: string) => void;
  readonly onJob?: (label: string, event: "begins" | "done" | "failed" | "given back", detail?: string) => void;
}

const PROGRESS_EVERY_MS = 500;

/** How long a Redis that is away is waited for in order to give back jobs. */
const AWAY_MS = 2000;
const LOOK_MS = 100;
const REST_MS = 500;

/**
 * Takes jobs from a Redis queue until it is stopped. Locks are renewed by this thread, which must not be blocked: `perform` leaves the
 * engine to another one.
 * @returns a function that gives back the jobs at hand, as far as they are, and stops; false when the Redis was away and could not be told
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
}: RedisWorkerOptions<Data, Result>): { close(): Promise<boolean> } {
  const client = new Redis(address.options);
  const trouble = troubleReporter(address.name, say);
  client.on("ready", () => trouble.back());
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
      const ended = () => running.get(id) === stop && running.delete(id);
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
          ended(); // a Redis that is away may hear of it late, or never
          await job.moveToWait(token);
          throw new WaitingError();
        }
        const reason = inFlags(error);
        onJob(label, "failed", reason);
        throw new Error(reason, { cause: error });
      } finally {
        ended();
      }
    },
    {
      connection: client,
      concurrency,
      name: machine,
      lockDuration: lockMs,
      stalledInterval: stalledMs,
      // a job may be begun TRIES times, so its worker may die once less before it fails
      maxStalledCount: TRIES - 1,
    },
  );
  worker.on("error", (error) => {
    if (isOutage(error)) trouble.lost(error);
    else {
      trouble.complain("what it answers is passed over", error);
      void rest();
    }
  });
  // Another worker may have the job by now: this one's result would count for nothing.
  worker.on("lockRenewalFailed", (ids) => {
    for (const id of ids) running.get(id)?.abort();
  });

  /** Asks no more for a moment: BullMQ asks again at once, thousands of times a second where the answer is always an error. */
  async function rest(): Promise<void> {
    if (closing || worker.isPaused()) return;
    await worker.pause(true);
    await sleep(REST_MS, undefined, { ref: false });
    if (!closing) await worker.resume();
  }

  function openEnvelope(id: string, content: unknown): Envelope {
    try {
      return parseAs(envelopeSchema, content, "what it holds", UnrecoverableError);
    } catch (error) {
      trouble.complain(`job ${id} is refused`, error);
      throw error; // and not tried again
    }
  }

  /** Waits until the work at hand has ended, and the Redis that should be told of it has been away for a while. */
  async function untilOnItsOwn(signal: AbortSignal): Promise<false> {
    for (let away = 0; away < AWAY_MS; away += LOOK_MS) {
      await sleep(LOOK_MS, undefined, { signal });
      if (running.size > 0 || client.status === "ready") away = 0;
    }
    return false;
  }

  return {
    async close() {
      closing = true;
      const closed = worker.close().then(() => true);
      for (const stop of running.values()) stop.abort();
      const over = new AbortController();
      const onItsOwn = untilOnItsOwn(over.signal);
      onItsOwn.catch(() => undefined);
      const isTold = await Promise.race([closed, onItsOwn]);
      over.abort();
      if (!isTold) say(`${address.name} is away; the jobs that were at hand go on elsewhere once it is back`);
      client.disconnect();
      return isTold;
    },
  };
}
