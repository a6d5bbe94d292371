import { parentPort, workerData } from "node:worker_threads";
import { failureOf } from "../../system/failure.ts";
import type { Loaded, ServiceControl } from "./loaded.ts";
import type { FromService, ServiceName, Services, ServiceStart, ToService } from "./messages.ts";
import { loadPipeline } from "./pipeline.ts";
import { loadReward } from "./reward.ts";

/** The thread that a service's model lives in. Requests come one at a time: the host waits for each answer. */

const { service, settings, stop } = workerData as ServiceStart;
const send = (message: FromService): void => parentPort?.postMessage(message);
const control: ServiceControl = {
  emit: (event) => send({ kind: "event", event }),
  shouldStop: () => Atomics.load(stop, 0) === 1,
};

function serve<N extends ServiceName>(loaded: Loaded<N>): void {
  const respond = async (message: ToService): Promise<void> => {
    if (message.kind === "release") {
      await loaded.release();
      parentPort?.close();
      return;
    }
    const request = message.request as Services[N]["request"];
    try {
      send({ kind: "reply", reply: await loaded.answer(request, control) });
    } catch (error) {
      send(failureOf(error));
    }
  };
  parentPort?.on("message", (message: ToService) => void respond(message));
  send({ kind: "loaded", facts: loaded.facts });
}

try {
  if (service === "pipeline") serve(await loadPipeline(settings as Services["pipeline"]["settings"], control));
  else serve(await loadReward(settings as Services["reward"]["settings"], control));
} catch (error) {
  send(failureOf(error));
  parentPort?.close();
}
