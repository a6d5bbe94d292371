import { Worker } from "node:worker_threads";
import type { CostEstimate } from "../runs/events.ts";
import { forbidTelemetry } from "../runtime/telemetry.ts";
import { revive } from "../system/failure.ts";
import type { FromWorker, TaskName, Tasks, ToWorker, WorkerStart } from "./messages.ts";

export interface TaskListeners<N extends TaskName> {
  /** What it throws ends the task as the signal does, and is what {@link runTask} throws then. */
  onEvent(event: Tasks[N]["event"]): void;
  /** Whether to go on at this cost. What it throws ends the task likewise. */
  confirm?(estimate: CostEstimate): Promise<boolean>;
  /** Asks the task to finish what it is at, save and end. */
  readonly signal?: AbortSignal;
  /** The module that the thread runs. Default: the engine. */
  readonly worker?: URL;
}

/**
 * Runs a task in a worker thread.
 * @throws UsageError, ModelError or Interrupted as the task threw them; UsageError of {@link forbidTelemetry}; Error when the thread dies
 */
export async function runTask<N extends TaskName>(
  task: N,
  settings: Tasks[N]["settings"],
  listeners: TaskListeners<N>,
): Promise<Tasks[N]["result"]> {
  forbidTelemetry();
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const workerData: WorkerStart<N> = { task, settings, stop };
  const worker = new Worker(listeners.worker ?? new URL("./worker.js", import.meta.url), { workerData });
  const requestStop = () => Atomics.store(stop, 0, 1);
  if (listeners.signal?.aborted) requestStop();
  listeners.signal?.addEventListener("abort", requestStop);
  let thrown: { readonly error: unknown } | undefined;
  const stopFor = (error: unknown): void => {
    thrown ??= { error };
    requestStop();
  };

  const ended = new Promise<Tasks[N]["result"]>((resolve, reject) => {
    worker.on("message", (message: FromWorker) => {
      switch (message.kind) {
        case "event":
          try {
            listeners.onEvent(message.event);
          } catch (error) {
            stopFor(error);
          }
          break;
        case "confirm":
          void answer(worker, listeners.confirm?.(message.estimate) ?? Promise.resolve(true), stopFor);
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
  return ended.finally(() => {
    if (thrown !== undefined) throw thrown.error;
  });
}

async function answer(worker: Worker, decision: Promise<boolean>, onFailure: (error: unknown) => void): Promise<void> {
  const yes = await decision.catch((error: unknown) => {
    onFailure(error);
    return false;
  });
  worker.postMessage({ kind: "confirmed", yes } satisfies ToWorker);
}
