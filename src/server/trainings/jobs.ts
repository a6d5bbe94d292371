import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { z } from "zod";
import { readJson, writeJson } from "../../system/files.ts";

/** Trainings that the page was asked for, in their order, in a file beside the runs: a server that is started again goes on with them. */
const FILE = ".rpo-queue.json";
/** Ended ones that are still shown. */
const MOST_ENDED = 20;
const MOST_JOBS = 1000;
const MOST_LABEL = 200;

export const JOB_STATES = ["waiting", "running", "done", "stopped", "failed"] as const;

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
  /** What it said last, where it failed. */
  message: z.string().max(2000).optional(),
});
const fileSchema = z.object({ paused: z.boolean(), jobs: z.array(jobSchema).max(MOST_JOBS) });

export type TrainingJob = z.output<typeof jobSchema>;
export type JobList = z.output<typeof fileSchema>;

export function newJob(job: Pick<TrainingJob, "label" | "output" | "settings" | "steps">): TrainingJob {
  return { id: randomUUID(), state: "waiting", ...job, label: job.label.slice(0, MOST_LABEL) };
}

/** What is in the file; nothing where there is none, or it is damaged. */
export async function readJobs(root: string): Promise<JobList> {
  const parsed = fileSchema.safeParse(await readJson(join(root, FILE)).catch(() => undefined));
  return parsed.success ? parsed.data : { paused: false, jobs: [] };
}

export async function writeJobs(root: string, { paused, jobs }: JobList): Promise<void> {
  await writeJson(join(root, FILE), { paused, jobs });
}

/** Without ended ones that are no longer shown. */
export function tidied(jobs: readonly TrainingJob[]): TrainingJob[] {
  const ended = jobs.filter(({ state }) => state !== "waiting" && state !== "running");
  const old = new Set(ended.slice(0, Math.max(0, ended.length - MOST_ENDED)));
  return jobs.filter((job) => !old.has(job));
}
