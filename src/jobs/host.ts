import { Worker } from "node:worker_threads";
import type { CostEstimate } from "../rpo/events.ts";
import { revive } from "./failure.ts";
import type { FromWorker, TaskName, Tasks, ToWorker, WorkerStart } from "./messages.ts";

export interface TaskListeners<N extends TaskName> {
  onEvent(event: Tasks[N]["event"]): void;
  /** Whether to go on at this cost. */
  confirm?(estimate: CostEstimate): Promise<boolean>;
  /** Asks the task to finish what it is at, save and end. */
  readonly signal?: AbortSignal;
  /** The module that the thread runs. Default: the engine. */
  readonly worker?: URL;
}

/**
 * Runs a task in a worker thread.
 * @throws UsageError, ModelError or Interrupted as the task threw them; Error when the thread dies
 */
export function runTask<N extends TaskName>(
  task: N,
  settings: Tasks[N]["settings"],
  listeners: TaskListeners<N>,
): Promise<Tasks[N]["result"]> {
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const workerData: WorkerStart<N> = { task, settings, stop };
  const worker = new Worker(listeners.worker ?? new URL("./worker.js", import.meta.url), { workerData });
  const requestStop = () => Atomics.store(stop, 0, 1);
  if (listeners.signal?.aborted) requestStop();
  listeners.signal?.addEventListener("abort", requestStop);

  return new Promise((resolve, reject) => {
    worker.on("message", (message: FromWorker) => {
      switch (message.kind) {
        case "event":
          listeners.onEvent(message.event);
          break;
        case "confirm":
          void answer(worker, listeners.confirm?.(message.estimate) ?? Promise.resolve(true));
          break;
        case "result":
          resolve(message.result);
          break;
        case "failure":
          reject(revive(message));
          break;
      }
    });
    worker.on("error", (error) => reject(error));
    worker.on("exit", (code) => {
      listeners.signal?.removeEventListener("abort", requestStop);
      const hint = task === "train" ? "; --memory low needs less" : "";
      reject(new Error(`the engine's thread ended (code ${code}): is there enough memory?${hint}`));
    });
  });
}

async function answer(worker: Worker, decision: Promise<boolean>): Promise<void> {
  const message: ToWorker = { kind: "confirmed", yes: await decision.catch(() => false) };
  worker.postMessage(message);
}
