import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { z } from "zod";
import { writeJson } from "../../system/files.ts";
import { readNotes, type Notes } from "../notes.ts";
import { Refusal } from "../refusal.ts";

/** Trainings that the page was asked for, in their order, in a file beside the runs: a server that is started again goes on with them. */
export const QUEUE_FILE = ".rpo-queue.json";
/** Ended ones that are still shown. */
const MOST_ENDED = 20;
export const MOST_JOBS = 1000;
const MOST_LABEL = 200;

export const JOB_STATES = ["waiting", "running", "done", "stopped", "failed"] as const;

/** What a training's process is known by, when another server looks for it. */
const processSchema = z.object({
  pid: z.int(),
  started: z.number().optional(),
  birth: z.string().max(64).optional(),
  /** Where its number means something. */
  machine: z.string().max(64),
});

const jobSchema = z.object({
  id: z.uuid(),
  label: z.string().max(MOST_LABEL),
  state: z.enum(JOB_STATES),
  /** The run's folder. */
  output: z.string().max(4096),
  /** Settings of a new run; absent where one goes on. */
  settings: z.record(z.string(), z.unknown()).optional(),
  /** Of a run that goes on: how many steps it shall have, if another number than it has. */
  steps: z.number().int().optional(),
  /** Of one that runs. It is noted before the training begins, which waits for that. */
  process: processSchema.optional(),
  /** What it said last, where it failed. */
  message: z.string().max(2000).optional(),
});
const fileSchema = z.object({ paused: z.boolean(), jobs: z.array(jobSchema).max(MOST_JOBS) });

export type JobProcess = z.output<typeof processSchema>;
export type TrainingJob = z.output<typeof jobSchema>;
export type JobList = z.output<typeof fileSchema>;

export function newJob(job: Pick<TrainingJob, "label" | "output" | "settings" | "steps">): TrainingJob {
  return { id: randomUUID(), state: "waiting", ...job, label: job.label.slice(0, MOST_LABEL) };
}

/** The list with another job at its end. @throws Refusal where it is full */
export function withJob(list: JobList, job: TrainingJob): JobList {
  const jobs = tidied([...list.jobs, job]);
  if (jobs.length > MOST_JOBS)
    throw new Refusal(409, `the queue holds ${MOST_JOBS} trainings already; take some of them out`);
  return { ...list, jobs };
}

/** What is in the file. @throws UsageError where it cannot be read */
export function readJobs(root: string): Promise<Notes<JobList>> {
  return readNotes<JobList>(join(root, QUEUE_FILE), fileSchema, { paused: false, jobs: [] });
}

/**
 * Writes the list. A training whose process is not known yet has not begun: to a server that finds the file it waits.
 * @throws Refusal for what could not be read again, Error where the disk does not take it
 */
export async function writeJobs(root: string, { paused, jobs }: JobList): Promise<void> {
  const written = jobs.map((job): TrainingJob => {
    const isBegun = job.state !== "running" || job.process !== undefined;
    return isBegun ? job : { ...job, state: "waiting" };
  });
  const parsed = fileSchema.safeParse({ paused, jobs: written });
  if (!parsed.success) {
    const [{ path, message }] = parsed.error.issues;
    throw new Refusal(422, `${String(path.at(-1))}: ${message}`);
  }
  await writeJson(join(root, QUEUE_FILE), parsed.data);
}

/** Without ended ones that are no longer shown. */
export function tidied(jobs: readonly TrainingJob[]): TrainingJob[] {
  const ended = jobs.filter(({ state }) => state !== "waiting" && state !== "running");
  const old = new Set(ended.slice(0, Math.max(0, ended.length - MOST_ENDED)));
  return jobs.filter((job) => !old.has(job));
}

/** The list with something else said of a job. */
export function withChange({ paused, jobs }: JobList, id: string, change: Partial<TrainingJob>): JobList {
  return { paused, jobs: tidied(jobs.map((job) => (job.id === id ? { ...job, ...change } : job))) };
}
