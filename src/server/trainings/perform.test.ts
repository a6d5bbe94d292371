import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { markOf, thisMachine } from "../../system/processes.ts";
import { deskOf } from "./desk.ts";
import { newJob } from "./jobs.ts";
import { performTraining } from "./perform.ts";

let root: string;
beforeEach(async () => void (root = await mkdtemp(join(tmpdir(), "rpo-perform-"))));
afterEach(() => rm(root, { recursive: true, force: true }));

const never = {
  signal: new AbortController().signal,
  onBegun: () => Promise.reject(new Error("a second one was begun")),
};

/** A job whose process is one that sleeps, and has not made a run yet. */
async function sleeping() {
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
  await once(child, "spawn");
  const mark = { ...(await markOf(child.pid ?? 0)), machine: await thisMachine() };
  const job = newJob({ label: "train dog", output: join(root, "dog"), settings: { class: "dog" }, steps: undefined });
  return { child, job: { ...job, state: "running", process: mark } as const };
}

test.each([
  [0, { state: "done" }],
  [130, { state: "stopped" }],
  [2, { state: "failed", message: "photos: no such folder" }],
])("a process that another server began is waited for, and its exit code %i read", async (code, outcome) => {
  const { child, job } = await sleeping();
  const desk = deskOf(root, job);
  await mkdir(desk.folder, { recursive: true });
  // more than anybody reads, with the reason at its end
  await writeFile(desk.said, `${"loading é\n".repeat(500_000)}rpo: photos: no such folder\n`);
  let isOver = false;
  const performed = performTraining(root, job, never).finally(() => (isOver = true));
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(isOver).toBe(false);
  await writeFile(desk.exit, `${code}\n`);
  child.kill("SIGKILL");
  expect(await performed).toEqual(outcome);
});

test.each([
  [
    "has failed where it was told to begin",
    true,
    { state: "failed", message: "its process has ended before the run began" },
  ],
  ["waits again where its server ended before that", false, { state: "waiting" }],
])("one that ended without a run %s, and its number may be another's by now", async (_name, isTold, outcome) => {
  const { child, job } = await sleeping();
  const desk = deskOf(root, job);
  await mkdir(desk.folder, { recursive: true });
  if (isTold) await writeFile(desk.begun, "");
  try {
    const other = { ...job, process: { ...job.process, birth: "0123456789ab", started: 5 } };
    expect(await performTraining(root, other, never)).toEqual(outcome);
  } finally {
    child.kill("SIGKILL");
  }
});

/** Another's `rpo train` in a run's folder: its lock, while the process lives. */
async function occupied() {
  const { child, job } = await sleeping();
  const { pid, started = 0, birth } = job.process;
  await mkdir(job.output);
  await writeFile(join(job.output, "lock.json"), JSON.stringify({ host: hostname(), pid, started, birth }));
  return { child, job: { ...job, process: undefined } };
}

test.each([
  ["a new run", { settings: { class: "dog" } }],
  ["one that goes on", { settings: undefined, steps: 400 }],
])("what waits does not take another's work in its folder for its own: %s", async (_name, what) => {
  const { child, job } = await occupied();
  try {
    expect(await performTraining(root, { ...job, ...what, state: "waiting" }, never)).toEqual({
      state: "failed",
      message: `${job.output}: another process works there already; ask for this again once it has ended`,
    });
  } finally {
    child.kill("SIGKILL");
  }
});

test("one that was begun by a version which noted no process is waited for by its run's lock", async () => {
  const { child, job } = await occupied();
  let isOver = false;
  const performed = performTraining(root, job, never).finally(() => (isOver = true));
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(isOver).toBe(false);
  child.kill("SIGKILL");
  expect(await performed).toMatchObject({ state: "failed", message: "its process has ended before the run began" });
});
