import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Interrupted } from "../../system/failure.ts";
import { createQueueDoor } from "./door.ts";
import { MOST_JOBS, newJob, type JobProcess, type TrainingJob } from "./jobs.ts";
import { NotBegun, type Outcome, type PerformTraining } from "./perform.ts";
import { openTrainingQueue } from "./queue.ts";

let root: string;
let file: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "rpo-queue-"));
  file = join(root, ".rpo-queue.json");
});
afterEach(() => rm(root, { recursive: true, force: true }));

const jobOf = (name: string): TrainingJob =>
  newJob({ label: `train ${name}`, output: join(root, name), settings: { class: name }, steps: undefined });
const saved = async () => JSON.parse(await readFile(file, "utf8")) as { paused: boolean; jobs: TrainingJob[] };
const mark: JobProcess = { pid: 1, machine: "elsewhere" };

/** Trainings that end when the test says so, or the server ends. */
function held() {
  const asked: TrainingJob[] = [];
  const ends: ((outcome: Outcome) => void)[] = [];
  const perform: PerformTraining = async (_root, job, { signal, onBegun }) => {
    asked.push(job);
    if (job.process === undefined)
      await onBegun(mark).catch((error: unknown) => {
        throw new NotBegun((error as Error).message);
      });
    return new Promise((resolve, reject) => {
      ends.push(resolve);
      const leave = (): void => reject(new Interrupted());
      if (signal.aborted) leave();
      else signal.addEventListener("abort", leave);
    });
  };
  return { asked, ends, perform };
}

test("a training's process is noted before it begins, and a server that is started again waits for that one", async () => {
  const first = held();
  const queue = await openTrainingQueue(root, first.perform);
  await queue.add(jobOf("a"));
  await queue.add(jobOf("b"));
  await expect.poll(() => first.ends.length).toBe(1);
  expect((await saved()).jobs.map(({ state, process }) => [state, process])).toEqual([
    ["running", mark],
    ["waiting", undefined],
  ]);
  await queue.close();
  const second = held();
  const again = await openTrainingQueue(root, second.perform);
  await expect.poll(() => second.ends.length).toBe(1);
  expect(second.asked).toMatchObject([{ label: "train a", process: mark }]);
  second.ends[0]({ state: "done" });
  await expect.poll(() => second.asked.map(({ label }) => label)).toEqual(["train a", "train b"]);
  await again.close();
});

test("a training that was noted and never told to begin waits again, before the others, and is begun anew", async () => {
  const jobs = [{ ...jobOf("a"), state: "running", process: mark }, jobOf("b")];
  await writeFile(file, JSON.stringify({ paused: true, jobs }));
  const { asked, ends, perform } = held();
  const queue = await openTrainingQueue(root, perform);
  await expect.poll(() => ends.length).toBe(1);
  ends[0]({ state: "waiting" });
  const states = () => queue.list().jobs.map(({ state, process }) => [state, process]);
  await expect.poll(states).toEqual([
    ["waiting", undefined],
    ["waiting", undefined],
  ]);
  await queue.pause(false);
  await expect.poll(() => ends.length).toBe(2);
  expect(asked.map(({ label, process }) => [label, process])).toEqual([
    ["train a", mark],
    ["train a", undefined],
  ]);
  await queue.close();
});

test("what is asked for at once is all there afterwards", async () => {
  const queue = await openTrainingQueue(root, held().perform);
  await queue.pause(true);
  const names = Array.from({ length: 40 }, (_, i) => `run-${i}`);
  await Promise.all(names.map((name) => queue.add(jobOf(name))));
  expect((await saved()).jobs.map(({ label }) => label)).toEqual(names.map((name) => `train ${name}`));
  const ids = queue.list().jobs.map(({ id }) => id);
  await Promise.all([...ids.slice(0, 20).map((id) => queue.remove(id)), queue.move(ids[39], -1)]);
  expect((await saved()).jobs.map(({ id }) => id)).toEqual([...ids.slice(20, 38), ids[39], ids[38]]);
  await queue.close();
});

test("a list that cannot be saved is as it was, what happens meanwhile is told, and both end when the folder is back", async () => {
  const { ends, asked, perform } = held();
  const queue = await openTrainingQueue(root, perform);
  await queue.add(jobOf("a"));
  await expect.poll(() => ends.length).toBe(1);
  await rm(root, { recursive: true });
  await expect(queue.add(jobOf("b"))).rejects.toThrow(`${file}: cannot be written: no such file`);
  await expect(queue.pause(true)).rejects.toThrow("cannot be written");
  expect(queue.list()).toMatchObject({ paused: false, jobs: [{ label: "train a", state: "running" }] });
  ends[0]({ state: "done" });
  await expect.poll(() => queue.problems()).toMatchObject([expect.stringContaining("cannot be saved")]);
  expect(queue.list().jobs).toMatchObject([{ state: "done" }]);
  await mkdir(root);
  await queue.add(jobOf("c"));
  expect(queue.problems()).toEqual([]);
  await expect.poll(() => asked.length).toBe(2);
  await queue.close();
});

test("a training that cannot be begun waits, and the others with it until somebody says so", async () => {
  let isFull = true;
  const begun: string[] = [];
  const queue = await openTrainingQueue(root, (_root, { label }) => {
    begun.push(label);
    return isFull ? Promise.reject(new NotBegun("no space is left on the disk")) : Promise.resolve({ state: "done" });
  });
  await queue.add(jobOf("a"));
  await queue.add(jobOf("b"));
  await expect.poll(() => queue.list().paused).toBe(true);
  await expect.poll(() => queue.problems()).toMatchObject([expect.stringContaining("no space is left")]);
  expect(begun).toEqual(["train a"]);
  isFull = false;
  await queue.pause(false);
  await expect.poll(() => queue.list().jobs.map(({ state }) => state)).toEqual(["done", "done"]);
  expect(queue.problems()).toEqual([]);
  await queue.close();
});

test.each([
  ["half of a file", '{"paused": false, "jobs": [{"id"'],
  ["another program's", '{"jobs": "none"}'],
])("a damaged queue is told of, kept beside, and one goes on without it: %s", async (_name, text) => {
  await writeFile(file, text);
  const queue = await openTrainingQueue(root, held().perform);
  expect(queue.problems()).toMatchObject([
    expect.stringMatching(/\.rpo-queue\.json: .*it is kept as \.rpo-queue\.json\.damaged/),
  ]);
  await queue.add(jobOf("a"));
  expect((await saved()).jobs).toMatchObject([{ label: "train a" }]);
  expect(await readFile(`${file}.damaged`, "utf8")).toBe(text);
  await queue.close();
  await writeFile(file, text);
  await (await openTrainingQueue(root, held().perform)).close();
  expect((await readdir(root)).filter((name) => name.includes("damaged")).length).toBe(2);
});

test("no more trainings wait than the file may hold", async () => {
  const jobs = Array.from({ length: MOST_JOBS }, (_, i) => jobOf(`run-${i}`));
  await writeFile(file, JSON.stringify({ paused: true, jobs }));
  const queue = await openTrainingQueue(root, held().perform);
  await expect(queue.add(jobOf("one-more"))).rejects.toThrow(`the queue holds ${MOST_JOBS} trainings already`);
  await queue.remove(jobs[7].id);
  await queue.add(jobOf("one-more"));
  expect((await saved()).jobs.length).toBe(MOST_JOBS);
  await queue.close();
});

test("what could not be read again is not written", async () => {
  const queue = await openTrainingQueue(root, held().perform);
  await expect(queue.add(jobOf("a".repeat(5000)))).rejects.toThrow(/output/);
  expect(queue.list().jobs).toEqual([]);
  await queue.close();
});

test("of two servers over a folder one keeps the queue, and the other takes it over when that one ends", async () => {
  const first = await openTrainingQueue(root, held().perform);
  await first.pause(true);
  await first.add(jobOf("a"));
  const door = createQueueDoor(root);
  expect(await door.problem()).toMatch(`another rpo ui works here (process ${process.pid} on`);
  await expect(door.open()).rejects.toMatchObject({ status: 409 });
  await first.close();
  expect((await door.open()).list()).toMatchObject({ paused: true, jobs: [{ label: "train a" }] });
  await door.close();
  expect((await readdir(root)).sort()).toEqual([".rpo-queue.json"]);
});

test("the other takes it over though nobody asks for the page, and not once it ends itself", async () => {
  const first = await openTrainingQueue(root, held().perform);
  await first.pause(true);
  const door = createQueueDoor(root, 20);
  expect(await door.problem()).toMatch("another rpo ui works here");
  await first.close();
  const isKept = async () => (await readdir(root)).includes(".rpo-queue.lock");
  await expect.poll(isKept).toBe(true);
  await door.close();
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(await isKept()).toBe(false);
  await expect(door.open()).rejects.toThrow("the server ends");
});
