import { say, setting } from "../system/message.ts";
import type { TaskQuestion } from "./messages.ts";
import type { TaskName, Tasks } from "./tasks.ts";
import { startThread, type Listeners } from "./thread.ts";

export interface TaskListeners<N extends TaskName> extends Listeners<Tasks[N]["event"]> {
  /** The module that the thread runs. Default: the engine. */
  readonly worker?: URL;
}

/**
 * Runs a task in a thread of its own. The signal asks it to finish what it is at, save and end.
 * @throws UsageError, ModelError or Interrupted as the task threw them; what a listener threw; UsageError when the runtime's telemetry cannot
 * be forbidden; Error when the thread dies
 */
export async function runTask<N extends TaskName>(
  task: N,
  settings: Tasks[N]["settings"],
  { worker: module, ...listeners }: TaskListeners<N>,
): Promise<Tasks[N]["result"]> {
  const thread = startThread({ module, advice: task === "train" ? say`; ${setting("memory", "low")} needs less` : "" });
  const question: TaskQuestion<N> = { kind: "task", task, settings };
  return thread.ask<Tasks[N]["event"], Tasks[N]["result"]>(question, listeners);
}
