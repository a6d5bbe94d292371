import { createLocalQueue } from "../../queue/local.ts";
import type { JobQueue } from "../../queue/queue.ts";
import { Interrupted } from "../../system/failure.ts";
import { holdsRun } from "../../runs/folder.ts";
import { writeRequest } from "../../runs/requests.ts";
import { Refusal } from "../refusal.ts";
import { workerOf } from "../runs/facts.ts";
import { lastOf } from "../runs/row.ts";
import { readJobs, tidied, writeJobs, type JobList, type TrainingJob } from "./jobs.ts";
import { performTraining, type Outcome } from "./perform.ts";

/** Trainings one after the other, in an order that can be changed, and paused. */
export interface TrainingQueue {
  list(): JobList;
  add(job: TrainingJob): Promise<void>;
  /** Moves a waiting one before or behind its neighbour. */
  move(id: string, by: -1 | 1): Promise<void>;
  /** Takes a waiting one out, asks a running one to stop, and forgets an ended one. */
  remove(id: string): Promise<void>;
  pause(paused: boolean): Promise<void>;
  close(): Promise<void>;
}

/** @param root where the list is kept */
export async function openTrainingQueue(root: string): Promise<TrainingQueue> {
  // a training that fails says why, and is not tried again
  const work: JobQueue<TrainingJob, Outcome> = createLocalQueue({
    perform: ({ data }, { signal }) => performTraining(data, signal),
  });
  let { paused, jobs } = await readJobs(root);
  let isClosed = false;

  const save = (): Promise<void> => {
    jobs = tidied(jobs);
    return writeJobs(root, { paused, jobs });
  };
  const change = (id: string, change: Partial<TrainingJob>): void => {
    jobs = jobs.map((job) => (job.id === id ? { ...job, ...change } : job));
  };
  const begin = async (job: TrainingJob): Promise<void> => {
    change(job.id, { state: "running" });
    await save();
    const outcome = await work
      .run({ id: job.id, label: job.label, priority: 1, data: job })
      .catch((error: unknown): Outcome | undefined => {
        if (error instanceof Interrupted || isClosed) return undefined;
        return { state: "failed", message: error instanceof Error ? error.message : String(error) };
      });
    if (outcome === undefined) return; // it goes on, and so does the list when the server is started again
    change(job.id, outcome);
    await save();
    next();
  };
  const next = (): void => {
    if (isClosed || paused || jobs.some(({ state }) => state === "running")) return;
    const waiting = jobs.find(({ state }) => state === "waiting");
    if (waiting !== undefined) void begin(waiting);
  };
  jobs = await Promise.all(jobs.map(foundAgain));
  // what trains since before this server goes on, and is waited for
  for (const job of jobs.filter(({ state }) => state === "running")) void begin(job);
  next();

  const find = (id: string): TrainingJob => {
    const job = jobs.find((each) => each.id === id);
    if (job === undefined) throw new Refusal(404, "no such training");
    return job;
  };
  return {
    list: () => ({ paused, jobs }),
    async add(job) {
      jobs = [...jobs, job];
      await save();
      next();
    },
    async move(id, by) {
      const waiting = jobs.filter(({ state }) => state === "waiting");
      const at = waiting.indexOf(find(id));
      const other = waiting[at + by];
      if (at < 0 || other === undefined) return;
      jobs = jobs.map((job) => (job === other ? waiting[at] : job === waiting[at] ? other : job));
      await save();
    },
    async remove(id) {
      const job = find(id);
      if (job.state === "running") {
        if ((await workerOf(job.output)) === undefined)
          throw new Refusal(409, "it is just beginning; try again in a moment");
        await writeRequest(job.output, "stop");
        return;
      }
      jobs = jobs.filter((each) => each !== job);
      await save();
    },
    async pause(value) {
      paused = value;
      await save();
      next();
    },
    async close() {
      isClosed = true;
      await work.close();
    },
  };
}

/** What became of a training while no server looked: one that has stopped meanwhile goes on when somebody says so. */
async function foundAgain(job: TrainingJob): Promise<TrainingJob> {
  if (job.state !== "running" || (await workerOf(job.output)) !== undefined) return job;
  if (!(await holdsRun(job.output))) return { ...job, state: "waiting" };
  const { state } = await lastOf(job.output);
  return { ...job, state: state === "finished" ? "done" : state === "failed" ? "failed" : "stopped" };
}
