import { fork, type ChildProcess } from "node:child_process";
import { UsageError } from "../../system/errors.ts";
import type { Answer, Asked, Errand, ResultOf } from "./messages.ts";

/** The longest that an errand may take: the largest pictures that are read at all take half a minute. */
const LONGEST_MS = 120_000;
/** How long it stays when nothing is asked: its decoders hold memory. */
const IDLE_MS = 60_000;

/**
 * A process that decodes pictures and makes reports for the server. A picture that kills it, or keeps it for longer than any should, costs what
 * was asked of it meanwhile; the next errand starts another.
 */
export interface Helper {
  /** @throws UsageError with what is wrong with the file */
  ask<E extends Errand>(errand: E): Promise<ResultOf<E>>;
  close(): void;
}

interface Waiting {
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** @param longestMs an errand may take */
export function createHelper(longestMs = LONGEST_MS): Helper {
  let child: ChildProcess | undefined;
  let idle: NodeJS.Timeout | undefined;
  let number = 0;
  const waiting = new Map<number, Waiting>();

  const settle = (id: number, how: (each: Waiting) => void): void => {
    const each = waiting.get(id);
    if (each === undefined) return;
    waiting.delete(id);
    clearTimeout(each.timer);
    how(each);
    if (waiting.size === 0) idle = setTimeout(end, IDLE_MS).unref();
  };

  function start(): ChildProcess {
    const started = fork(new URL("./child.js", import.meta.url), {
      serialization: "advanced",
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    started.on("message", (answer: Answer) =>
      settle(answer.id, ({ resolve, reject }) => {
        if ("error" in answer) reject(new UsageError(answer.error));
        else resolve(answer.result as never);
      }),
    );
    started.on("exit", () => {
      if (child !== started) return;
      child = undefined;
      for (const id of [...waiting.keys()])
        settle(id, ({ reject }) =>
          reject(new UsageError("what was asked for could not be done: the process that did it has ended")),
        );
    });
    started.on("error", () => undefined);
    return started;
  }

  function end(): void {
    child?.kill("SIGKILL");
  }

  return {
    ask: (errand) =>
      new Promise((resolve, reject) => {
        clearTimeout(idle);
        child ??= start();
        const id = ++number;
        waiting.set(id, { resolve, reject, timer: setTimeout(end, longestMs).unref() });
        child.send({ id, errand } satisfies Asked);
      }),
    close: end,
  };
}
