import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { forbidTelemetry } from "../../runtime/telemetry.ts";
import { UsageError } from "../../system/errors.ts";
import { Interrupted, revive } from "../../system/failure.ts";
import type { FromService, ServiceEvent, ServiceName, Services, ServiceStart, ToService } from "./messages.ts";

export interface ServiceListeners {
  /** What it throws gives up what is under way, whose promise is rejected with that. */
  readonly onEvent?: ((event: ServiceEvent) => void) | undefined;
  /** Gives up what is under way; its promise is rejected with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** A model in a thread of its own. While nothing is asked of it, the thread does not keep the program from ending. */
export interface Service<N extends ServiceName> {
  readonly facts: Services[N]["facts"];
  /** Requests wait for those before them. @throws UsageError, ModelError; Error when the thread has died; the signal's reason */
  request(request: Services[N]["request"], listeners: ServiceListeners): Promise<Services[N]["reply"]>;
  /** Frees the model when the requests so far have been answered. A second call does nothing more. */
  readonly release: () => Promise<void>;
}

/** What a thread says at the end of an exchange. */
type Answer = Exclude<FromService, { readonly kind: "event" }>;

/**
 * Starts a thread and loads a model in it. Errors as with {@link Service.request}, and of {@link forbidTelemetry}.
 * @param module what the thread runs; default: the engine
 */
export async function openService<N extends ServiceName>(
  service: N,
  settings: Services[N]["settings"],
  listeners: ServiceListeners,
  module = new URL("./worker.js", import.meta.url),
): Promise<Service<N>> {
  listeners.signal?.throwIfAborted();
  forbidTelemetry();
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const workerData: ServiceStart<N> = { service, settings, stop };
  const thread = new Worker(module, { workerData });
  let exchange: { see(event: ServiceEvent): void; end(answer: Answer): void; fail(error: Error): void } | undefined;
  let death: Error | undefined;
  thread.on("message", (message: FromService) => {
    if (message.kind === "event") exchange?.see(message.event);
    else exchange?.end(message);
  });
  const die = (error: Error) => {
    death ??= error;
    exchange?.fail(death);
  };
  thread.on("error", die);
  thread.on("exit", (code) => die(new Error(`the engine's thread ended (code ${code}): is there enough memory?`)));

  /** Sends a message, if there is one, and waits for the answer. */
  const ask = async (message: ToService | undefined, { onEvent, signal }: ServiceListeners): Promise<Answer> => {
    signal?.throwIfAborted();
    if (death !== undefined) throw death;
    Atomics.store(stop, 0, 0);
    const giveUp = () => void Atomics.store(stop, 0, 1);
    signal?.addEventListener("abort", giveUp);
    thread.ref();
    let thrown: { readonly error: unknown } | undefined;
    const see = (event: ServiceEvent): void => {
      try {
        onEvent?.(event);
      } catch (error) {
        thrown ??= { error };
        giveUp();
      }
    };
    try {
      const answer = await new Promise<Answer>((end, fail) => {
        exchange = { see, end, fail };
        if (message !== undefined) thread.postMessage(message);
      });
      if (thrown !== undefined) throw thrown.error;
      if (answer.kind !== "failure") return answer;
      const error = revive(answer);
      if (error instanceof Interrupted) signal?.throwIfAborted();
      throw error;
    } finally {
      exchange = undefined;
      signal?.removeEventListener("abort", giveUp);
      thread.unref();
    }
  };

  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = last.then(work);
    last = mine.catch(() => undefined);
    return mine;
  };

  const loaded = await ask(undefined, listeners).catch((error: unknown) => {
    // Nobody gets the service: a model that was loaded all the same is let go.
    if (death === undefined) thread.postMessage({ kind: "release" } satisfies ToService);
    throw error;
  });
  if (loaded.kind !== "loaded") throw new Error(`the engine's thread answered ${loaded.kind} before it was loaded`);
  let released: Promise<void> | undefined;
  return {
    facts: loaded.facts,
    async request(request, requestListeners) {
      if (released !== undefined) throw new UsageError(`the ${service} has been released; load it again`);
      const answer = await inTurn(() => ask({ kind: "request", request }, requestListeners));
      if (answer.kind !== "reply") throw new Error(`the engine's thread answered ${answer.kind} to a request`);
      const reply = answer.reply as Services[N]["reply"];
      return reply;
    },
    release: () =>
      (released ??= inTurn(async () => {
        if (death !== undefined) return;
        thread.ref();
        const gone = once(thread, "exit");
        thread.postMessage({ kind: "release" } satisfies ToService);
        await gone;
      })),
  };
}
