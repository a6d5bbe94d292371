import { mkdtemp, readdir, rename, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import type { TrainTask } from "../commands/train/resolve.ts";
import { readRequest, readValidationRequest, writeRequest } from "../runs/requests.ts";
import { runTraining } from "./training.ts";

/**
 * A thread that trains nothing: it validates whenever it is told to, which takes it a second, and ends when it is asked to stop. Its events
 * say how often it was told to.
 */
const THREAD = `
import { parentPort } from "node:worker_threads";
const wait = () => new Promise((resolve) => setTimeout(resolve, 20));
parentPort.once("message", async ({ settings, stop }) => {
  const asked = () => Atomics.load(settings.askedValidations, 0);
  parentPort.postMessage({ kind: "confirm", estimate: {} });
  await new Promise((resolve) => parentPort.once("message", resolve));
  let answered = 0;
  while (Atomics.load(stop, 0) === 0) {
    await wait();
    if (asked() === answered) continue;
    await new Promise((resolve) => setTimeout(resolve, 1000));
    answered = asked();
    parentPort.postMessage({ kind: "event", event: { type: "validation", step: answered } });
  }
  parentPort.postMessage({ kind: "result", result: { step: answered } });
  parentPort.close();
});
`;

test("the thread is told once of each validation that is asked for in the folder, which is forgotten when it is done", async () => {
  const run = await mkdtemp(join(tmpdir(), "rpo-training-"));
  const module = join(run, "thread.mjs");
  await writeFile(module, THREAD);
  // asked of a process that is no more, on a drive whose clock is an hour ahead
  for (const ask of ["validate", "stop"] as const) await writeRequest(run, ask);
  const later = Date.now() / 1000 + 3600;
  for (const name of ["asked.json", "asked-validation.json"]) await utimes(join(run, name), later, later);
  const done: number[] = [];
  let begun = (): void => undefined;
  const hasBegun = new Promise<void>((resolve) => (begun = resolve));
  const task = { request: { output: run } } as TrainTask;
  const ended = runTraining(task, {
    worker: pathToFileURL(module),
    confirm: () => Promise.resolve(true),
    onEvent: (event) => {
      if (event.type === "validation") done.push(event.step);
    },
  });
  void ended.finally(begun);
  await expect.poll(() => readValidationRequest(run)).toBeUndefined();
  expect(await readRequest(run)).toBeUndefined();
  // by a clock that is far behind
  const path = join(run, "asking");
  await writeFile(path, '{"ask":"validate"}');
  await utimes(path, 10, 10);
  await rename(path, join(run, "asked-validation.json"));
  await expect.poll(() => done, { timeout: 5000 }).toEqual([1]);
  await expect.poll(() => readValidationRequest(run)).toBeUndefined();
  // asked twice, the second time while it validates: that validation is what was asked for
  await writeRequest(run, "validate");
  await new Promise((resolve) => setTimeout(resolve, 600));
  await writeRequest(run, "stop-after-validation");
  await expect.poll(() => done.length, { timeout: 5000 }).toBe(2);
  expect((await ended).step).toBe(done[1]);
  await hasBegun;
  expect(await readdir(run)).toEqual(["thread.mjs"]);
});
