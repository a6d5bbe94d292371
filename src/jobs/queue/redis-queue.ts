import { Queue, type Job as BullJob, type JobType } from "bullmq";
import { Redis } from "ioredis";
import { setTimeout as sleep } from "node:timers/promises";
import { VERSION } from "../../tensor/version.ts";
import {
  BACKOFF_MS,
  Interrupted,
  JobFailed,
  TRIES,
  type JobProgress,
  type JobQueue,
  type JobState,
  type JobStatus,
  type Job,
} from "./queue.ts";
import { outageReporter, type RedisAddress } from "./redis-connection.ts";

/** The one queue that workers of a version listen to, whatever benchmark its jobs are of: what another version makes may differ. */
export const QUEUE_NAME = `rpo-${VERSION}`;

export interface RedisQueueOptions {
  readonly address: RedisAddress;
  readonly name?: string;
  readonly backoffMs?: number;
  /** Between looks at a job that is not done yet. */
  readonly pollMs?: number;
  /** Between looks whether anybody works. */
  readonly workersMs?: number;
  /** Told when the Redis is lost and when it is back, and when nobody works. */
  readonly say?: (line: string) => void;
}

/** What a job carries in Redis. */
export interface Envelope {
  readonly label: string;
  readonly data: unknown;
}

/** A queue on Redis (BullMQ), whose jobs any worker takes; see `startRedisWorker`. */
export function createRedisQueue<Data, Result>({
  address,
  name = QUEUE_NAME,
  backoffMs = BACKOFF_MS,
  pollMs = 500,
  workersMs = 10_000,
  say = () => undefined,
}: RedisQueueOptions): JobQueue<Data, Result> {
  const client = new Redis(address.options);
  const queue = new Queue<Envelope, unknown>(name, { connection: client });
  const outage = outageReporter(address.name, say);
  queue.on("error", (error) => outage.lost(error));
  const stop = new AbortController();
  const waiting = new Map<string, Promise<Result>>();

  let lonely = false;
  const watch = setInterval(() => {
    queue.getWorkersCount().then(
      (count) => {
        if (count === 0 && !lonely)
          say(`no worker of rpo ${VERSION} listens there yet: start rpo worker with this --redis`);
        lonely = count === 0;
      },
      () => undefined, // an outage, which is told elsewhere
    );
  }, workersMs);
  watch.unref();

  const add = (job: Job<Data>) =>
    queue.add(
      "job",
      { label: job.label, data: job.data },
      {
        jobId: job.id,
        priority: job.priority,
        attempts: TRIES,
        backoff: { type: "exponential", delay: backoffMs },
        removeOnComplete: { age: 7 * 24 * 3600 },
        removeOnFail: false,
      },
    );

  /** Looks until the job has ended. Looking needs no event that an outage could swallow, and adds a job again that a Redis forgot. */
  async function follow(job: Job<Data>): Promise<Result> {
    for (let looks = 0; !stop.signal.aborted; looks++) {
      const state = await queue.getJobState(job.id);
      outage.back();
      if (state === "unknown") await add(job);
      else if (state === "completed" || state === "failed") {
        const ended = await queue.getJob(job.id);
        if (ended !== undefined && looks === 0) {
          await ended.remove(); // of an earlier queue, whose files may be gone
          await add(job);
        } else if (ended !== undefined) {
          if (state === "failed") throw new JobFailed(job.label, ended.failedReason);
          return ended.returnvalue as Result;
        }
      }
      await sleep(pollMs, undefined, { signal: stop.signal }).catch(() => undefined);
    }
    throw new Interrupted();
  }

  const untilClosed = new Promise<never>((_, reject) => {
    stop.signal.addEventListener("abort", () => reject(new Interrupted()));
  });
  untilClosed.catch(() => undefined);

  return {
    run(job) {
      let ended = waiting.get(job.id);
      if (ended === undefined) {
        // An outage may hold up a look for long: closing does not wait for it.
        ended = Promise.race([follow(job), untilClosed]);
        waiting.set(job.id, ended);
        ended.catch(() => waiting.delete(job.id));
      }
      return ended;
    },
    async list(prefix = "") {
      const jobs = await queue.getJobs(LISTED);
      const mine = jobs.filter((job) => job.id?.startsWith(prefix));
      return Promise.all(mine.map(async (job) => statusOf(job, stateOf(await job.getState()))));
    },
    close() {
      stop.abort();
      clearInterval(watch);
      // At once, whether or not the Redis answers: this queue owes it nothing.
      client.disconnect();
      return Promise.resolve();
    },
  };
}

const LISTED: JobType[] = ["active", "prioritized", "wait", "delayed", "failed", "completed"];

function stateOf(state: Awaited<ReturnType<BullJob["getState"]>>): JobState {
  if (state === "active") return "running";
  if (state === "completed") return "done";
  return state === "failed" ? "failed" : "waiting";
}

function statusOf(job: BullJob<Envelope>, state: JobState): JobStatus {
  const { progress } = job;
  return {
    id: job.id ?? "",
    label: job.data.label,
    state,
    failures: job.attemptsMade - (state === "done" ? 1 : 0),
    progress: typeof progress === "object" && "phase" in progress ? (progress as unknown as JobProgress) : undefined,
    machine: state === "waiting" ? undefined : job.processedBy,
    error: job.failedReason,
  };
}
