import { parentPort } from "node:worker_threads";
import type { CostEstimate } from "../runs/events.ts";
import { failureOf } from "../system/failure.ts";
import type { WorkControl } from "../system/work.ts";
import { SERVICES, TASKS } from "./handlers.ts";
import type { Asked, Confirmed, FromThread, LoadQuestion, Release, ServiceQuestion, TaskQuestion } from "./messages.ts";
import type { Loaded, ServiceName } from "./services/services.ts";
import { signalOf, type StopFlag } from "./stop.ts";
import type { TaskName, Tasks } from "./tasks.ts";

/** The thread that the engine works in: loading and compiling block it. Questions come one at a time: the program waits for each answer. */

if (parentPort === null) throw new Error("this module runs in a worker thread");
const port = parentPort;
const send = (message: FromThread<unknown, unknown>): void => port.postMessage(message);

function controlOf<Event>(stop: StopFlag): WorkControl<Event> {
  return { emit: (event) => send({ kind: "event", event }), signal: signalOf(stop) };
}

function confirm(estimate: CostEstimate): Promise<boolean> {
  send({ kind: "confirm", estimate });
  return new Promise((resolve) => port.once("message", ({ yes }: Confirmed) => resolve(yes)));
}

/** Says what work ends with. */
async function answer(work: Promise<unknown>): Promise<void> {
  try {
    send({ kind: "result", result: await work });
  } catch (error) {
    send(failureOf(error));
  }
}

async function perform<N extends TaskName>({ task, settings, stop }: Asked<TaskQuestion<N>>): Promise<void> {
  await answer(TASKS[task](settings, { ...controlOf<Tasks[N]["event"]>(stop), confirm }));
  port.close();
}

async function serve<N extends ServiceName>({ service, settings, stop }: Asked<LoadQuestion<N>>): Promise<void> {
  const loading = SERVICES[service](settings, controlOf(stop));
  await answer(loading.then(({ facts }) => facts));
  const loaded: Loaded<N> | undefined = await loading.catch(() => undefined);
  if (loaded === undefined) {
    port.close();
    return;
  }
  port.on("message", (message: Asked<ServiceQuestion<N>> | Release) => {
    if (message.kind === "request") void answer(loaded.answer(message.request, controlOf(message.stop)));
    else void loaded.release().finally(() => port.close());
  });
}

port.once("message", (question: Asked<TaskQuestion> | Asked<LoadQuestion>) => {
  void (question.kind === "task" ? perform(question) : serve(question));
});
