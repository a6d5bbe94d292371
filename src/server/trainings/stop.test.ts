import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Interrupted } from "../../system/failure.ts";
import { markOf, thisMachine, thisProcess } from "../../system/processes.ts";
import { deskOf } from "./desk.ts";
import { newJob, type JobProcess } from "./jobs.ts";
import { openTrainingQueue, type TrainingQueue } from "./queue.ts";

let root: string;
let training: ChildProcess;
let queue: TrainingQueue | undefined;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "rpo-stop-"));
  training = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
  await once(training, "spawn");
});
afterEach(async () => {
  training.kill("SIGKILL");
  await queue?.close();
  await rm(root, { recursive: true, force: true });
});

const markOfTraining = async () => ({ ...(await markOf(training.pid ?? 0)), machine: await thisMachine() });

/** A queue with a training that runs in a process that was noted so. @returns asks it to stop */
async function running(mark: JobProcess): Promise<() => Promise<void>> {
  const job = newJob({ label: "train dog", output: join(root, "dog"), settings: {}, steps: undefined });
  const jobs = [{ ...job, state: "running", process: mark }];
  await writeFile(join(root, ".rpo-queue.json"), JSON.stringify({ paused: false, jobs }));
  const opened = await openTrainingQueue(
    root,
    (_root, _job, { signal }) =>
      new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(new Interrupted()))),
  );
  queue = opened;
  return () => opened.remove(job.id);
}

/** The lock of whoever works in the training's folder. */
async function lock(holder: { readonly pid: number; readonly started?: number | undefined }) {
  await mkdir(join(root, "dog"));
  await writeFile(join(root, "dog", "lock.json"), JSON.stringify({ started: 0, host: hostname(), ...holder }));
}

const tells = process.platform === "linux" || process.platform === "darwin";

test.runIf(tells)("a training whose run has not begun is interrupted, as Ctrl-C does", async () => {
  const stop = await running(await markOfTraining());
  const ended = once(training, "exit");
  await stop();
  expect(await ended).toEqual([null, "SIGINT"]);
});

test.each([
  ["whose number alone is known", ({ pid, machine }: JobProcess): JobProcess => ({ pid, machine })],
  ["of another machine", (mark: JobProcess): JobProcess => ({ ...mark, machine: "elsewhere" })],
  ["that was started at another time", (mark: JobProcess): JobProcess => ({ ...mark, birth: "0123456789ab" })],
])("no signal is sent to a process %s", async (_name, change) => {
  const stop = await running(change(await markOfTraining()));
  await expect(stop()).rejects.toMatchObject({
    status: 409,
    message: expect.stringContaining("cannot be stopped") as string,
  });
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect([training.exitCode, training.signalCode]).toEqual([null, null]);
});

test.each(["", "stop\n"])(
  "one that no signal can be sent to for sure is asked where it looks for that: it says %j",
  async (said) => {
    const { pid, machine } = await markOfTraining();
    const stop = await running({ pid, machine });
    const [{ id }] = queue?.list().jobs ?? [];
    const { folder, begun } = deskOf(root, { id });
    await mkdir(folder, { recursive: true });
    await writeFile(begun, said);
    if (said === "") await expect(stop()).rejects.toMatchObject({ status: 409 });
    else await stop();
    expect(await readdir(folder)).toEqual(said === "" ? ["begun"] : ["begun", "stop"]);
  },
);

test.runIf(tells)(
  "a training that has its run is asked through the folder, and another's work there is not",
  async () => {
    const mark = await markOfTraining();
    const stop = await running(mark);
    await lock(mark);
    await stop();
    expect(JSON.parse(await readFile(join(root, "dog", "asked.json"), "utf8"))).toEqual({ ask: "stop" });
    await rm(join(root, "dog"), { recursive: true });
    await lock(await thisProcess());
    const ended = once(training, "exit");
    await stop();
    expect(await ended).toEqual([null, "SIGINT"]);
    expect(await readdir(join(root, "dog"))).toEqual(["lock.json"]);
  },
);
