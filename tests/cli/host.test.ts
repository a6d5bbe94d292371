import { expect, test } from "vitest";
import { runTask, type TaskListeners } from "../../src/engine/host.ts";
import type { GenerateSettings } from "../../src/commands/generate/settings.ts";
import { ModelError, UsageError } from "../../src/system/errors.ts";

const settings: GenerateSettings = {
  model: "model",
  adapter: undefined,
  prompts: ["a dog"],
  negative: undefined,
  count: 1,
  seed: 0,
  sampler: "dpm",
  steps: 1,
  guidance: 1,
  height: undefined,
  width: undefined,
  output: "out",
  threads: 1,
};

/** Runs a fake task: `body` of a module that has `parentPort`, and `stop` as the task was asked with it. */
function run(body: string, listeners: Partial<TaskListeners<"generate">> = {}) {
  const source = `import { parentPort } from "node:worker_threads"; import { once } from "node:events";
    const [{ stop }] = await once(parentPort, "message"); ${body}`;
  const worker = new URL(`data:text/javascript,${encodeURIComponent(source)}`);
  return runTask("generate", settings, { ...listeners, worker });
}
const fail = (name: string) =>
  run(`parentPort.postMessage({ kind: "failure", name: "${name}", message: "what and where", stack: undefined });`);

test("a task's error crosses the thread with its kind and message", async () => {
  for (const [name, kind] of [
    ["UsageError", UsageError],
    ["ModelError", ModelError],
    ["TypeError", Error],
  ] as const) {
    const error: unknown = await fail(name).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(kind);
    expect((error as Error).message).toBe("what and where");
  }
  await expect(fail("TypeError")).rejects.not.toBeInstanceOf(UsageError);
});

test("a thread that dies is an error of one line", async () => {
  // pictures are drawn without --memory, which is not advised then
  await expect(run("process.exit(3);")).rejects.toThrow(
    /^the engine's thread ended \(code 3\): is there enough memory\?$/,
  );
  await expect(run('throw new Error("broken");')).rejects.toThrow("broken");
});

test("the task sees the wish to stop at once, though its thread never comes to its event loop", async () => {
  const abort = new AbortController();
  const result = run(
    `parentPort.postMessage({ kind: "event", event: { type: "warning", text: "started" } });
     while (Atomics.load(stop, 0) === 0);
     parentPort.postMessage({ kind: "result", result: { pictures: [], interrupted: true } });`,
    { signal: abort.signal, onEvent: () => abort.abort() },
  );
  await expect(result).resolves.toEqual({ pictures: [], interrupted: true });
});

test("what a listener throws stops the task, and is what the caller gets", async () => {
  const mine = new Error("mine");
  const started = `parentPort.postMessage({ kind: "event", event: { type: "warning", text: "started" } });
    while (Atomics.load(stop, 0) === 0);`;
  const onEvent = () => {
    throw mine;
  };
  for (const end of [
    'postMessage({ kind: "result", result: { pictures: [], interrupted: true } })',
    'postMessage({ kind: "failure", name: "Interrupted", message: "interrupted", stack: undefined })',
  ])
    await expect(run(`${started} parentPort.${end};`, { onEvent })).rejects.toBe(mine);
});

test.each([true, false])("the task gets the answer %s to its estimate", async (yes) => {
  const result = run(
    `parentPort.postMessage({ kind: "confirm", estimate: { seconds: 9 } });
     parentPort.once("message", (message) =>
       parentPort.postMessage({ kind: "result", result: { pictures: [], interrupted: message.yes } }));`,
    { confirm: (estimate) => Promise.resolve(estimate.seconds === 9 && yes) },
  );
  await expect(result).resolves.toEqual({ pictures: [], interrupted: yes });
});
