import { once } from "node:events";
import { createTurns } from "../../system/turns.ts";
import { UsageError } from "../../system/errors.ts";
import type { LoadQuestion, Question, Release, ServiceQuestion } from "../messages.ts";
import { orReasonOf, startThread, type Listeners } from "../thread.ts";
import type { ServiceEvent, ServiceName, Services } from "./services.ts";

/** The promise of what a signal gives up is rejected with the signal's reason. */
export type ServiceListeners = Pick<Listeners<ServiceEvent>, "onEvent" | "signal">;

/** A model in a thread of its own. While nothing is asked of it, the thread does not keep the program from ending. */
export interface Service<N extends ServiceName> {
  readonly facts: Services[N]["facts"];
  /** Requests wait for those before them. @throws UsageError, ModelError; Error when the thread has died; the signal's reason */
  request(request: Services[N]["request"], listeners: ServiceListeners): Promise<Services[N]["reply"]>;
  /** Frees the model when the requests so far have been answered. A second call does nothing more. */
  readonly release: () => Promise<void>;
}

/**
 * Starts a thread and loads a model in it. Errors as with {@link Service.request}, and of {@link startThread}.
 * @param module what the thread runs; default: the engine
 */
export async function openService<N extends ServiceName>(
  service: N,
  settings: Services[N]["settings"],
  listeners: ServiceListeners,
  module?: URL,
): Promise<Service<N>> {
  listeners.signal?.throwIfAborted();
  const thread = startThread({ module });
  const { worker } = thread;
  const ask = async <Result>(question: Question, given: ServiceListeners): Promise<Result> => {
    given.signal?.throwIfAborted();
    worker.ref();
    try {
      return await thread.ask<ServiceEvent, Result>(question, given).catch(orReasonOf(given.signal));
    } finally {
      worker.unref();
    }
  };
  const letGo = () => worker.postMessage({ kind: "release" } satisfies Release);

  const inTurn = createTurns();

  const loading: LoadQuestion<N> = { kind: "load", service, settings };
  const facts = await ask<Services[N]["facts"]>(loading, listeners).catch((error: unknown) => {
    // Nobody gets the service: a model that was loaded all the same is let go.
    letGo();
    throw error;
  });
  let released: Promise<void> | undefined;
  return {
    facts,
    async request(request, given) {
      if (released !== undefined) throw new UsageError(`the ${service} has been released; load it again`);
      const question: ServiceQuestion<N> = { kind: "request", request };
      return inTurn(() => ask<Services[N]["reply"]>(question, given));
    },
    release: () =>
      (released ??= inTurn(async () => {
        if (thread.isDead()) return;
        worker.ref();
        const gone = once(worker, "exit");
        letGo();
        await gone;
      })),
  };
}
