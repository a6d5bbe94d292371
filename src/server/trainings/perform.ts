import { spawn } from "node:child_process";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Interrupted } from "../../system/failure.ts";
import { writeJson } from "../../system/files.ts";
import { packagePath } from "../../system/package.ts";
import { oneLine } from "../../system/printable.ts";
import { readText } from "../../system/regular-files.ts";
import { workerOf } from "../runs/facts.ts";
import { lastOf } from "../runs/row.ts";
import type { TrainingJob } from "./jobs.ts";

/** How a training ended. */
export interface Outcome {
  readonly state: "done" | "stopped" | "failed";
  readonly message?: string;
}

/** Between two looks at a training that was begun by a server before this one. */
const LOOK_MS = 1000;
/** Exit codes of `rpo train`. */
const EXITS: Readonly<Record<number, Outcome["state"]>> = { 0: "done", 130: "stopped" };
/** What it may say. */
const MOST_SAID = 4e6;

/**
 * Trains by `rpo train` in a process of its own, which goes on when the server ends. What is asked of it meanwhile goes through the run's
 * folder. One that a server before this one began is waited for.
 */
export async function performTraining(job: TrainingJob, signal: AbortSignal): Promise<Outcome> {
  if ((await workerOf(job.output)) !== undefined) return waitFor(job.output, signal);
  const folder = await mkdtemp(join(tmpdir(), "rpo-training-"));
  const [config, said] = [join(folder, "settings.json"), join(folder, "said")];
  if (job.settings !== undefined) await writeJson(config, job.settings);
  const log = await open(said, "a");
  const words = job.settings === undefined ? ["--resume"] : ["--config", config, "--yes"];
  if (job.steps !== undefined) words.push("--steps", String(job.steps));
  const child = spawn(
    process.execPath,
    [packagePath("dist", "cli", "main.js"), "train", ...words, "--output", job.output],
    {
      detached: true,
      stdio: ["ignore", "ignore", log.fd],
    },
  );
  child.unref();
  await log.close();
  const code = await new Promise<number | null>((resolve) => {
    child.on("error", () => resolve(null));
    child.on("exit", resolve);
    signal.addEventListener("abort", () => resolve(null), { once: true });
  });
  // the training goes on without this server
  if (signal.aborted) throw new Interrupted();
  const message = lastLine(await readText(said, { atMost: MOST_SAID }).catch(() => ""));
  await rm(folder, { recursive: true, force: true });
  const state = EXITS[code ?? -1] ?? "failed";
  return state === "failed" ? { state, message: message || `it ended with code ${code}` } : { state };
}

/** Waits for a training that another process began. */
async function waitFor(run: string, signal: AbortSignal): Promise<Outcome> {
  while ((await workerOf(run)) !== undefined) {
    await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) throw new Interrupted();
  }
  const { state } = await lastOf(run);
  return { state: state === "finished" ? "done" : state === "failed" ? "failed" : "stopped" };
}

/** What a failed command says last: "rpo: runs/dog: no such folder". */
function lastLine(text: string): string {
  const lines = text.split(/[\r\n]+/).filter((line) => line.trim() !== "");
  return oneLine(lines.findLast((line) => line.startsWith("rpo: "))?.slice(5) ?? lines.at(-1) ?? "", 600);
}
