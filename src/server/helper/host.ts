import { fork, type ChildProcess } from "node:child_process";
import { UsageError } from "../../system/errors.ts";
import { oneLine } from "../../system/printable.ts";
import { Refusal } from "../refusal.ts";
import type { Answer, Asked, Errand, ResultOf } from "./messages.ts";
import { saidBy } from "../../system/said-by.ts";

/** The longest that an errand may take: the largest pictures that are read at all take half a minute. */
const LONGEST_MS = 120_000;
/** How long it stays when nothing is asked: its decoders hold memory. */
const IDLE_MS = 60_000;

export interface HelperOptions {
  /** Errands at a time; with one, an errand that nobody waits for any more is given up. */
  readonly atOnce: number;
  /** Those that wait for their turn; more are refused. */
  readonly mostWaiting: number;
  /** How long an errand may take once it has begun. */
  readonly longestMs?: number;
  readonly start?: () => ChildProcess;
}

/**
 * A process that decodes pictures, makes reports, or draws for the server. A picture that kills it, or keeps it for longer than any should,
 * costs what was being done there; the next errand starts another.
 */
export interface Helper {
  /**
   * @param signal when nobody waits for it any more
   * @throws UsageError with what is wrong with the file; Refusal where too many wait, or the signal came
   */
  readonly ask: <E extends Errand>(errand: E, signal?: AbortSignal) => Promise<ResultOf<E>>;
  readonly close: () => void;
}

interface Wish {
  readonly errand: Errand;
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
}

interface Begun extends Wish {
  readonly timer: NodeJS.Timeout;
}

export function createHelper({
  atOnce,
  mostWaiting,
  longestMs = LONGEST_MS,
  start = startChild,
}: HelperOptions): Helper {
  let child: ChildProcess | undefined;
  let idle: NodeJS.Timeout | undefined;
  let [number, isEnding, isClosed] = [0, false, false];
  const line: Wish[] = [];
  const begun = new Map<number, Begun>();

  const settle = (id: number, how: (wish: Wish) => void): void => {
    const wish = begun.get(id);
    if (wish === undefined) return;
    begun.delete(id);
    clearTimeout(wish.timer);
    how(wish);
  };

  const goOn = (): void => {
    clearTimeout(idle);
    // what ends may hold a model's memory until it is gone
    while (!isEnding && !isClosed && begun.size < atOnce) {
      const wish = line.shift();
      if (wish === undefined) break;
      const id = ++number;
      try {
        child ??= watched(start());
        begun.set(id, { ...wish, timer: setTimeout(end, longestMs).unref() });
        child.send({ id, errand: wish.errand } satisfies Asked);
      } catch (error) {
        settle(id, () => undefined);
        wish.reject(new Refusal(503, `no process can be started for it: ${textOf(error)}; try again later`));
      }
    }
    if (begun.size === 0) idle = setTimeout(end, IDLE_MS).unref();
  };

  /** @throws Error where the system starts none: it has too many, or too many files are open */
  function watched(started: ChildProcess): ChildProcess {
    started.on("error", () => undefined);
    // it says why only later, and never that it has ended
    if (started.pid === undefined) throw new Error("the system has no room for one");
    started.on("message", (answer: Answer) => {
      settle(answer.id, ({ resolve, reject }) => {
        if ("error" in answer) reject(new UsageError(answer.error));
        else resolve(answer.result as never);
      });
      goOn();
    });
    started.on("exit", () => {
      [child, isEnding] = [undefined, false];
      const lost = new UsageError("what was asked for could not be done: the process that did it has ended");
      for (const id of [...begun.keys()]) settle(id, ({ reject }) => reject(lost));
      goOn();
    });
    return started;
  }

  function end(): void {
    isEnding = child !== undefined;
    child?.kill("SIGKILL");
  }

  const leave = (wish: Wish): void => {
    wish.reject(new Refusal(503, "nobody waits for it any more"));
    const at = line.indexOf(wish);
    if (at >= 0) line.splice(at, 1);
    else if (atOnce === 1 && [...begun.values()].some(({ reject }) => reject === wish.reject)) end();
  };

  return {
    ask: (errand, signal) =>
      new Promise((resolve, reject) => {
        if (line.length >= mostWaiting)
          throw new Refusal(503, `${mostWaiting} others wait for this already; try again later`);
        const wish: Wish = { errand, resolve, reject };
        if (signal?.aborted === true) {
          leave(wish);
          return;
        }
        signal?.addEventListener("abort", () => leave(wish), { once: true });
        line.push(wish);
        goOn();
      }),
    close() {
      isClosed = true;
      for (const wish of line.splice(0)) wish.reject(new UsageError("the server has ended"));
      end();
    },
  };
}

function textOf(error: unknown): string {
  return oneLine(saidBy(error), 200);
}

function startChild(): ChildProcess {
  return fork(new URL("./child.js", import.meta.url), {
    serialization: "advanced",
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
}
