import { holdsRun } from "../../runs/folder.ts";
import { writeRequest } from "../../runs/requests.ts";
import { Interrupted } from "../../system/failure.ts";
import { lockFolder } from "../../system/lock.ts";
import { oneLine } from "../../system/printable.ts";
import { isSurelyAlive, thisMachine } from "../../system/processes.ts";
import { createTurns } from "../../system/turns.ts";
import { Refusal } from "../refusal.ts";
import { workerOf } from "../runs/facts.ts";
import { askToStop, clearOthers, deskOf } from "./desk.ts";
import { readJobs, withChange, withJob, writeJobs, type JobList, type JobProcess, type TrainingJob } from "./jobs.ts";
import { NotBegun, outcomeIn, performTraining, type PerformTraining } from "./perform.ts";
import { saidBy } from "../../system/said-by.ts";

/** Trainings one after the other, in an order that can be changed, and paused. What is asked for is done once it is saved. */
export interface TrainingQueue {
  list(): JobList;
  /** What whoever looks at the queue should know: that it was damaged, that it cannot be saved. */
  problems(): readonly string[];
  /** @throws Refusal where it is full */
  add(job: TrainingJob): Promise<void>;
  /** Moves a waiting one before or behind its neighbour. */
  move(id: string, by: -1 | 1): Promise<void>;
  /** Takes a waiting one out, asks a running one to stop, and forgets an ended one. */
  remove(id: string): Promise<void>;
  pause(paused: boolean): Promise<void>;
  close(): Promise<void>;
}

/** One server keeps a folder's queue. What another machine has is left to it: nobody can tell from here whether its server lives. */
const QUEUE_LOCK = { command: "rpo ui", otherMachines: true, file: ".rpo-queue.lock" } as const;

/**
 * @param root where the list is kept
 * @throws UsageError where another server keeps it, or it cannot be read; Error where the folder cannot be written to
 */
export async function openTrainingQueue(
  root: string,
  perform: PerformTraining = performTraining,
): Promise<TrainingQueue> {
  const release = await lockFolder(root, QUEUE_LOCK);
  try {
    const { value, problem } = await readJobs(root);
    const list = { ...value, jobs: await Promise.all(value.jobs.map(foundAgain)) };
    await clearOthers(root, list.jobs);
    return runQueue({ root, list, perform, release, damaged: problem });
  } catch (error) {
    await release();
    throw error;
  }
}

interface Opened {
  readonly root: string;
  readonly list: JobList;
  readonly perform: PerformTraining;
  readonly release: () => Promise<void>;
  readonly damaged: string | undefined;
}

function runQueue({ root, list: opened, perform: performJob, release, damaged }: Opened): TrainingQueue {
  let list = opened;
  let unsaved: string | undefined;
  const end = new AbortController();
  const performed = new Set<Promise<void>>();
  const inTurn = createTurns();

  /** Changes the list to what somebody wants, if that can be saved. */
  const want = (change: (now: JobList) => JobList): Promise<void> =>
    inTurn(async () => {
      const wanted = change(list);
      if (wanted === list) return;
      await writeJobs(root, wanted);
      [list, unsaved] = [wanted, undefined];
    });
  /** Takes in what has happened, whether or not it can be saved. */
  const note = (change: (now: JobList) => JobList): Promise<void> =>
    inTurn(async () => {
      list = change(list);
      try {
        await writeJobs(root, list);
        unsaved = undefined;
      } catch (error) {
        unsaved = `the queue cannot be saved: ${textOf(error)}`;
      }
    });

  const perform = async (job: TrainingJob): Promise<void> => {
    const onBegun = (process: JobProcess): Promise<void> =>
      want((now) => withChange(now, job.id, { state: "running", process }));
    try {
      const outcome = await performJob(root, job, { signal: end.signal, onBegun });
      await note((now) => withChange(now, job.id, { ...outcome, process: undefined }));
    } catch (error) {
      // it goes on without this server, and so does the list when one is started again
      if (error instanceof Interrupted || end.signal.aborted) return;
      const message = textOf(error);
      if (error instanceof NotBegun) {
        // the others could not be begun either
        await note((now) => ({ ...withChange(now, job.id, { state: "waiting" }), paused: true }));
        unsaved ??= `the queue is paused, for a training could not be begun: ${message}`;
      } else await note((now) => withChange(now, job.id, { state: "failed", message, process: undefined }));
    }
    void next();
  };
  const begin = (job: TrainingJob): void => {
    const work = perform(job).finally(() => performed.delete(work));
    performed.add(work);
  };
  const next = (): Promise<void> =>
    inTurn(() => {
      const { paused, jobs } = list;
      if (end.signal.aborted || paused || jobs.some(({ state }) => state === "running")) return Promise.resolve();
      const waiting = jobs.find(({ state }) => state === "waiting");
      if (waiting !== undefined) {
        // in the file it waits until its process is known
        list = withChange(list, waiting.id, { state: "running" });
        begin(waiting);
      }
      return Promise.resolve();
    });

  // what trains since before this server goes on, and is waited for
  for (const job of list.jobs.filter(({ state }) => state === "running")) begin(job);
  void next();

  return {
    list: () => list,
    problems: () => [damaged, unsaved].filter((each) => each !== undefined),
    async add(job) {
      await want((now) => withJob(now, job));
      void next();
    },
    move: (id, by) => want((now) => moved(now, id, by)),
    async remove(id) {
      const job = jobIn(list, id);
      if (job.state === "running") await stop(root, job);
      else await want((now) => ({ ...now, jobs: now.jobs.filter((each) => each !== waitingOrEnded(now, id)) }));
    },
    async pause(paused) {
      await want((now) => ({ ...now, paused }));
      void next();
    },
    async close() {
      end.abort();
      await Promise.all(performed);
      await inTurn(release);
    },
  };
}

function textOf(error: unknown): string {
  return oneLine(saidBy(error), 600);
}

/** @throws Refusal */
function jobIn({ jobs }: JobList, id: string): TrainingJob {
  const job = jobs.find((each) => each.id === id);
  if (job === undefined) throw new Refusal(404, "no such training");
  return job;
}

/** A job that has not begun meanwhile. @throws Refusal */
function waitingOrEnded(list: JobList, id: string): TrainingJob {
  const job = jobIn(list, id);
  if (job.state === "running") throw new Refusal(409, "it has just begun; ask again to stop it");
  return job;
}

function moved(list: JobList, id: string, by: -1 | 1): JobList {
  const waiting = list.jobs.filter(({ state }) => state === "waiting");
  const at = waiting.indexOf(jobIn(list, id));
  const other = waiting[at + by];
  if (at < 0 || other === undefined) return list;
  return { ...list, jobs: list.jobs.map((job) => (job === other ? waiting[at] : job === waiting[at] ? other : job)) };
}

/** Asks a training to stop: through its run's folder, or where it has not come that far, as Ctrl-C does. */
async function stop(root: string, job: TrainingJob): Promise<void> {
  const { output, process: begun } = job;
  const worker = await workerOf(output);
  // somebody else's work in that folder is not this training's to end
  const isOwn = worker?.pid === undefined || begun === undefined || worker.pid === begun.pid;
  if (worker !== undefined && isOwn) await writeRequest(output, "stop");
  else if (begun?.machine === (await thisMachine()) && (await isSurelyAlive(begun))) interrupt(begun.pid);
  else if (!(await askToStop(deskOf(root, job))))
    throw new Refusal(409, "it cannot be stopped before its run has begun; try again in a moment");
}

function interrupt(pid: number): void {
  try {
    process.kill(pid, "SIGINT");
  } catch (error) {
    // it may have ended meanwhile
    if ((error as NodeJS.ErrnoException).code !== "ESRCH")
      throw new Refusal(409, `it cannot be stopped: ${textOf(error)}`);
  }
}

/** A training that was begun by a version which did not note its process. */
async function foundAgain(job: TrainingJob): Promise<TrainingJob> {
  if (job.state !== "running" || job.process !== undefined) return job;
  if ((await workerOf(job.output)) !== undefined) return job;
  return (await holdsRun(job.output)) ? { ...job, ...(await outcomeIn(job)) } : { ...job, state: "waiting" };
}
