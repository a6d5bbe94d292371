import { Worker } from "node:worker_threads";
import type { CostEstimate } from "../runs/events.ts";
import { forbidTelemetry } from "../runtime/telemetry.ts";
import type { Message } from "../system/errors.ts";
import { failureWith, say } from "../system/message.ts";
import { Interrupted, revive } from "../system/failure.ts";
import type { Asked, Confirmed, FromThread, Question } from "./messages.ts";
import { createStopFlag, raise } from "./stop.ts";

export interface Listeners<Event> {
  /** What it throws gives up what is under way, whose promise is rejected with that. */
  readonly onEvent?: ((event: Event) => void) | undefined;
  /** Whether to go on at this cost. What it throws gives up likewise. Default: go on. */
  readonly confirm?: ((estimate: CostEstimate) => Promise<boolean>) | undefined;
  /** Gives up what is under way. */
  readonly signal?: AbortSignal | undefined;
}

/** A thread of the engine, as the program sees it. */
export interface EngineThread {
  readonly worker: Worker;
  readonly isDead: () => boolean;
  /**
   * Asks for something, when what was asked before has been answered, and waits for the answer.
   * @throws UsageError, ModelError or Interrupted as the thread threw them; what a listener threw; Error when the thread dies
   */
  ask<Event, Result>(question: Question, listeners: Listeners<Event>): Promise<Result>;
}

/**
 * Starts a thread of the engine.
 * @param options.module what it runs; default: the engine
 * @param options.advice what to add for somebody whose thread died
 * @throws UsageError of {@link forbidTelemetry}
 */
export function startThread({
  module = new URL("./worker.js", import.meta.url),
  advice = "",
}: {
  readonly module?: URL | undefined;
  readonly advice?: Message;
}): EngineThread {
  forbidTelemetry();
  const worker = new Worker(module);
  let death: Error | undefined;
  worker.on("error", (error: Error) => (death ??= error));
  worker.on("exit", (code) => {
    death ??= failureWith(say`the engine's thread ended (code ${code}): is there enough memory?${advice}`);
  });
  return {
    worker,
    isDead: () => death !== undefined,
    async ask<Event, Result>(question: Question, { onEvent, confirm, signal }: Listeners<Event>): Promise<Result> {
      if (death !== undefined) throw death;
      const stop = createStopFlag();
      const giveUp = () => raise(stop);
      if (signal?.aborted === true) giveUp();
      signal?.addEventListener("abort", giveUp);
      let thrown: { readonly error: unknown } | undefined;
      const giveUpFor = (error: unknown): void => {
        thrown ??= { error };
        giveUp();
      };
      const tell = (event: Event): void => {
        try {
          onEvent?.(event);
        } catch (error) {
          giveUpFor(error);
        }
      };
      const decide = async (estimate: CostEstimate): Promise<void> => {
        let yes = false;
        try {
          yes = (await confirm?.(estimate)) ?? true;
        } catch (error) {
          giveUpFor(error);
        }
        worker.postMessage({ kind: "confirmed", yes } satisfies Confirmed);
      };
      let hear: (message: FromThread<Event, Result>) => void = () => undefined;
      let die = (): void => undefined;
      const answer = new Promise<Result>((resolve, reject) => {
        hear = (message) => {
          if (message.kind === "event") tell(message.event);
          else if (message.kind === "confirm") void decide(message.estimate);
          else if (message.kind === "result") resolve(message.result);
          else reject(revive(message));
        };
        die = () => {
          if (death !== undefined) reject(death);
        };
      });
      worker.on("message", hear).on("error", die).on("exit", die);
      try {
        worker.postMessage({ ...question, stop } satisfies Asked<Question>);
        return await answer.finally(() => {
          if (thrown !== undefined) throw thrown.error;
        });
      } finally {
        worker.off("message", hear).off("error", die).off("exit", die);
        signal?.removeEventListener("abort", giveUp);
      }
    },
  };
}

/** For `catch`: the signal's reason in place of Interrupted. */
export function orReasonOf(signal: AbortSignal | undefined): (error: unknown) => never {
  return (error) => {
    if (error instanceof Interrupted) signal?.throwIfAborted();
    throw error;
  };
}
