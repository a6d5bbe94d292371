import { Queue, type Job as BullJob } from "bullmq";
import { Redis } from "ioredis";
import { setMaxListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { isRecord, parseAs } from "../system/json.ts";
import { VERSION } from "../system/version.ts";
import { failureReason, jobStatusSchema, type Envelope } from "./outside.ts";
import {
  BACKOFF_MS,
  Interrupted,
  JobFailed,
  TRIES,
  type JobQueue,
  type JobState,
  type JobStatus,
  type Job,
} from "./queue.ts";
import { isOutage, troubleReporter, type RedisAddress } from "./redis-connection.ts";

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
  /** Told when the Redis is lost and when it is back, when nobody works, and what is passed over. */
  readonly say?: (line: string) => void;
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
  const trouble = troubleReporter(address.name, say);
  queue.on("error", (error) => trouble.lost(error));
  const stop = new AbortController();
  // every job that is followed listens, and there may be any number
  setMaxListeners(0, stop.signal);
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

  /** @returns how a job ended; undefined while it has not. @throws JobFailed, and what goes wrong with the Redis */
  async function look(job: Job<Data>, isFirst: boolean): Promise<{ readonly result: Result } | undefined> {
    const state = await queue.getJobState(job.id);
    if (state === "unknown") await add(job);
    if (state !== "completed" && state !== "failed") return undefined;
    const ended = await queue.getJob(job.id);
    if (ended === undefined) return undefined;
    if (isFirst) {
      await ended.remove(); // of an earlier queue, whose files may be gone
      await add(job);
      return undefined;
    }
    if (state === "failed") throw new JobFailed(job.label, failureReason(ended.failedReason));
    return { result: ended.returnvalue as Result };
  }

  /**
   * Looks until the job has ended. Looking needs no event that an outage could swallow, and adds a job again that a Redis forgot. A Redis
   * that answers with an error, as one whose disk is full or whose keys somebody wrote over, is waited for like one that does not answer.
   */
  async function follow(job: Job<Data>): Promise<Result> {
    for (let isFirst = true; !stop.signal.aborted;) {
      try {
        const end = await look(job, isFirst);
        if (end !== undefined) return end.result;
        isFirst = false;
        trouble.back();
      } catch (error) {
        if (error instanceof JobFailed) throw error;
        if (stop.signal.aborted) break;
        if (error instanceof Error && isOutage(error)) trouble.lost(error);
        else trouble.complain(`job ${job.id} is looked for again until it can be read`, error);
      }
      await sleep(pollMs, undefined, { signal: stop.signal }).catch(() => undefined);
    }
    throw new Interrupted();
  }

  /** The ids that begin with `prefix`, as they are at one instant, in the order in which the jobs will be begun; other entries are skipped. */
  async function jobsByState(prefix: string): Promise<Map<string, JobState>> {
    const multi = client.multi();
    for (const { list, order } of LISTS) {
      if (order === "queued") multi.lrange(queue.toKey(list), 0, -1);
      else multi.zrange(queue.toKey(list), 0, -1);
    }
    const found = new Map<string, JobState>();
    for (const [i, [error, ids]] of ((await multi.exec()) ?? []).entries()) {
      const { list, order, state } = LISTS[i];
      if (error !== null) trouble.complain(`${queue.toKey(list)} is passed over`, error);
      const mine = (error === null ? (ids as string[]) : []).filter((id) => id.startsWith(prefix) && !found.has(id));
      for (const id of order === "queued" ? mine.reverse() : mine) found.set(id, state);
    }
    return found;
  }

  async function statuses(prefix: string): Promise<JobStatus[]> {
    const states = await jobsByState(prefix);
    const all = await Promise.all([...states].map(([id, state]) => statusOf(id, state)));
    return all.filter((status) => status !== undefined);
  }

  /** Undefined, and said, for what is no job of ours. */
  async function statusOf(id: string, state: JobState): Promise<JobStatus | undefined> {
    try {
      // a second look, for it may have been taken away and put there again
      const job = (await queue.getJob(id)) ?? (await queue.getJob(id));
      if (job === undefined) throw new Error("it has no data");
      return parseStatus(job as BullJob<unknown>, id, state);
    } catch (error) {
      if (stop.signal.aborted || (error instanceof Error && isOutage(error))) throw error;
      trouble.complain(`job ${id} is passed over`, error);
      return undefined;
    }
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
    list: (prefix = "") => Promise.race([statuses(prefix), untilClosed]),
    close() {
      stop.abort();
      clearInterval(watch);
      // At once, whether or not the Redis answers: this queue owes it nothing.
      client.disconnect();
      return Promise.resolve();
    },
  };
}

/** Where BullMQ has its jobs: lists that are filled from the left, and sets sorted by priority or time. */
const LISTS = [
  { list: "active", order: "queued", state: "running" },
  { list: "prioritized", order: "sorted", state: "waiting" },
  { list: "wait", order: "queued", state: "waiting" },
  { list: "paused", order: "queued", state: "waiting" },
  { list: "delayed", order: "sorted", state: "waiting" },
  { list: "failed", order: "sorted", state: "failed" },
  { list: "completed", order: "sorted", state: "done" },
] as const satisfies readonly { list: string; order: "queued" | "sorted"; state: JobState }[];

/** @throws Error naming what is not as ours are */
function parseStatus(job: BullJob<unknown>, id: string, state: JobState): JobStatus {
  const { data, progress, attemptsMade, processedBy, failedReason } = job;
  const status = {
    id,
    label: isRecord(data) ? data["label"] : undefined,
    state,
    failures: attemptsMade - (state === "done" ? 1 : 0),
    progress: progress === 0 ? undefined : progress, // none was reported
    machine: state === "waiting" ? undefined : processedBy,
    error: failedReason,
  };
  return parseAs(jobStatusSchema, status, "what it holds", Error);
}
