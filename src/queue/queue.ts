/** Something to be done once, whoever does it. */
export interface Job<Data> {
  /** The same for equal work; letters, digits, dots and dashes. */
  readonly id: string;
  /** For people: "train dog, rpo, seed 0". */
  readonly label: string;
  /** Jobs with a lower one (1 or more) are begun first. */
  readonly priority: number;
  /** Everything needed to do it, as plain JSON. */
  readonly data: Data;
}

export interface JobProgress {
  readonly phase: string;
  readonly done: number;
  readonly total: number;
}

export const jobStates = ["waiting", "running", "done", "failed"] as const;
export type JobState = (typeof jobStates)[number];

export interface JobStatus {
  readonly id: string;
  readonly label: string;
  readonly state: JobState;
  /** How often it was tried and failed. */
  readonly failures: number;
  readonly progress?: JobProgress | undefined;
  /** Where it runs or ran. */
  readonly machine?: string | undefined;
  /** Why it failed the last time. */
  readonly error?: string | undefined;
}

/** What a worker does with a job. @throws Interrupted when `signal` asked it to stop; the job is then to be done again */
export type Perform<Data, Result> = (
  job: Job<Data>,
  control: { readonly signal: AbortSignal; readonly report: (progress: JobProgress) => void },
) => Promise<Result>;

/**
 * A queue of jobs. Its implementations, in process and on Redis, pass one test suite.
 *
 * @example
 * const queue = createLocalQueue({ perform: async ({ data }) => data * 2 });
 * await queue.run({ id: "double-21", label: "21 twice", priority: 1, data: 21 }); // 42
 */
export interface JobQueue<Data, Result> {
  /**
   * Has a job done and gives its result, plain JSON. A job that is waiting or running is not done twice, nor is one that this queue has
   * seen end; one that ended before this queue was opened is done again: what it made may be gone.
   * @throws JobFailed after {@link TRIES} tries; Interrupted when the queue is closed before the job has ended
   */
  run(job: Job<Data>): Promise<Result>;
  /** The jobs whose ids begin with `prefix`, in the order in which they will be begun. @throws Interrupted when the queue is closed before it answers */
  list(prefix?: string): Promise<JobStatus[]>;
  close(): Promise<void>;
}

/** How often a job is begun before it counts as failed, whether it ends with an error or its machine dies. */
export const TRIES = 3;

/** Before the second try; twice as long before the third. */
export const BACKOFF_MS = 5000;

/** A job failed {@link TRIES} times. */
export class JobFailed extends Error {
  override readonly name = "JobFailed";
  readonly job: string;
  constructor(label: string, reason: string) {
    super(`${label}: ${reason}`);
    this.job = label;
  }
}

export { Interrupted } from "../system/failure.ts";
