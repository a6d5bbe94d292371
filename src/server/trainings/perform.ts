import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { open } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { holdsRun } from "../../runs/folder.ts";
import { Interrupted } from "../../system/failure.ts";
import { packagePath } from "../../system/package.ts";
import { fateOf, markOf, thisMachine } from "../../system/processes.ts";
import { workerOf } from "../runs/facts.ts";
import { lastOf } from "../runs/row.ts";
import { clearDesk, deskOf, exitCodeIn, hasBegun, lastSaidIn, layDesk, type Desk } from "./desk.ts";
import type { JobProcess, TrainingJob } from "./jobs.ts";
import { saidBy } from "../../system/said-by.ts";

/** How a training ended; it waits where its server ended before it was told to begin. */
export interface Outcome {
  readonly state: "done" | "stopped" | "failed" | "waiting";
  readonly message?: string;
}

export interface Performing {
  /** When the server ends. */
  readonly signal: AbortSignal;
  /** Notes which process trains. It begins when that is done; where that fails, nothing was begun. */
  readonly onBegun: (process: JobProcess) => Promise<void>;
}

export type PerformTraining = (root: string, job: TrainingJob, performing: Performing) => Promise<Outcome>;

/** A training was not begun, for a reason that is not its own: the disk is full, no process can be started. */
export class NotBegun extends Error {}

/** Between two looks at a training that was begun by a server before this one. */
const LOOK_MS = 1000;
/** Exit codes of `rpo train`. */
const STOPPED = 130;
const EXITS: Readonly<Record<number, Outcome["state"]>> = { 0: "done", [STOPPED]: "stopped" };

/**
 * Trains by `rpo train` in a process of its own, which goes on when the server ends. What is asked of it meanwhile goes through the run's
 * folder. One that a server before this one began is waited for; older ones did not note its process, and its run's lock tells.
 * @throws Interrupted when the server ends, NotBegun
 */
export const performTraining: PerformTraining = async (root, job, { signal, onBegun }) => {
  const desk = deskOf(root, job);
  const { process: begun } = job;
  if (begun !== undefined) {
    await untilNot(() => isAtWork(begun, job.output), signal);
    if (!(await hasBegun(desk))) return { state: "waiting" };
    return outcomeOf(job, desk, await exitCodeIn(desk));
  }
  if ((await workerOf(job.output)) !== undefined) {
    // what waits has not begun, so somebody else works there
    if (job.state !== "running") return { state: "failed", message: occupied(job.output) };
    await untilNot(async () => (await workerOf(job.output)) !== undefined, signal);
    return outcomeOf(job, desk, undefined);
  }
  const ended = await begin(job, desk, { signal, onBegun }).catch(async (error: unknown) => {
    await clearDesk(desk);
    throw error instanceof Interrupted ? error : new NotBegun(saidBy(error));
  });
  const closed = new Promise<undefined>((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener("abort", () => resolve(undefined), { once: true });
  });
  const code = await Promise.race([ended.code, closed]);
  // the training goes on without this server
  if (signal.aborted) throw new Interrupted();
  return outcomeOf(job, desk, code);
};

function occupied(run: string): string {
  return `${run}: another process works there already; ask for this again once it has ended`;
}

/** Starts a training's process, which begins when it has been noted. */
async function begin(job: TrainingJob, desk: Desk, { signal, onBegun }: Performing): Promise<Started> {
  const started = await start(job, desk);
  const { stdin, pid = 0 } = started.child;
  try {
    if (signal.aborted) throw new Interrupted();
    await onBegun({ ...(await markOf(pid)), machine: await thisMachine() });
    stdin?.end("go\n");
  } catch (error) {
    stdin?.destroy();
    throw error;
  }
  return started;
}

interface Started {
  readonly child: ChildProcess;
  /** Its exit code; undefined where it was killed. */
  readonly code: Promise<number | undefined>;
}

async function start(job: TrainingJob, desk: Desk): Promise<Started> {
  await layDesk(desk, job);
  const words = job.settings === undefined ? ["--resume"] : ["--config", desk.config, "--yes"];
  if (job.steps !== undefined) words.push("--steps", String(job.steps));
  const [own, program] = [
    packagePath("dist", "server", "trainings", "child.js"),
    packagePath("dist", "cli", "main.js"),
  ];
  const log = await open(desk.said, "a");
  try {
    const child = spawn(
      process.execPath,
      [own, desk.begun, desk.exit, program, "train", ...words, "--output", job.output],
      {
        detached: true,
        stdio: ["pipe", "ignore", log.fd],
      },
    );
    const code = new Promise<number | undefined>((resolve) => {
      child.once("exit", (each, killed) => resolve(each ?? (killed === "SIGINT" ? STOPPED : undefined)));
    });
    // it may end before it was told to begin
    child.stdin?.on("error", () => undefined);
    await once(child, "spawn");
    child.unref();
    return { child, code };
  } finally {
    await log.close();
  }
}

/** Whether a process that was noted still trains. */
async function isAtWork(mark: JobProcess, run: string): Promise<boolean> {
  if (mark.machine === (await thisMachine())) return (await fateOf(mark)) !== "dead";
  // of another machine's process only its lock tells
  return (await workerOf(run)) !== undefined;
}

async function untilNot(isSo: () => Promise<boolean>, signal: AbortSignal): Promise<void> {
  while (await isSo()) {
    await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) throw new Interrupted();
  }
}

/** How a training has ended. @param code undefined where nothing is left that says it */
async function outcomeOf(job: TrainingJob, desk: Desk, code: number | undefined): Promise<Outcome> {
  const said = await lastSaidIn(desk);
  const outcome = code === undefined ? await outcomeIn(job) : { state: EXITS[code] ?? "failed" };
  await clearDesk(desk);
  if (outcome.state !== "failed") return outcome;
  const why = code === undefined ? "its process has ended before the run began" : `it ended with code ${code}`;
  return { state: "failed", message: said || why };
}

/** What the run's own folder says of that. */
export async function outcomeIn({ output, steps = 0 }: TrainingJob): Promise<Outcome> {
  if (!(await holdsRun(output))) return { state: "failed" };
  const { state, step } = await lastOf(output).catch(() => ({ state: "failed", step: 0 }));
  if (state === "failed") return { state };
  return { state: state === "finished" && step >= steps ? "done" : "stopped" };
}
