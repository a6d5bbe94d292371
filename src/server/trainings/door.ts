import { createTurns } from "../../system/turns.ts";
import { UsageError } from "../../system/errors.ts";
import { oneLine } from "../../system/printable.ts";
import { Refusal } from "../refusal.ts";
import { openTrainingQueue, type TrainingQueue } from "./queue.ts";
import { saidBy } from "../../system/said-by.ts";

/**
 * The queue of a folder, where this server is the one that keeps it. Of two servers over one folder the second shows runs all the same, and
 * takes the queue over moments after the first has ended; so does one over a folder that it may only read.
 */
export interface QueueDoor {
  /** @throws Refusal with why this server has no queue */
  open(): Promise<TrainingQueue>;
  /** Why there is none; undefined where there is one. */
  problem(): Promise<string | undefined>;
  close(): Promise<void>;
}

/** How often a server without the queue tries to get it: what waits there goes on though nobody asks for the page. */
const TRY_MS = 10_000;

export function createQueueDoor(root: string, tryMs = TRY_MS): QueueDoor {
  let queue: TrainingQueue | undefined;
  let isClosed = false;
  const inTurn = createTurns();
  const open = (): Promise<TrainingQueue> =>
    inTurn(async () => {
      if (isClosed) throw new Refusal(409, "no queue here: the server ends");
      try {
        queue ??= await openTrainingQueue(root);
        return queue;
      } catch (error) {
        throw new Refusal(409, whyNot(error));
      }
    });
  const timer = setInterval(() => {
    if (queue === undefined) void open().catch(() => undefined);
  }, tryMs).unref();
  return {
    open,
    problem: () => open().then(() => undefined, saidBy),
    close() {
      clearInterval(timer);
      return inTurn(async () => {
        isClosed = true;
        await queue?.close();
      });
    },
  };
}

function whyNot(error: unknown): string {
  const text = oneLine(saidBy(error), 600);
  return error instanceof UsageError ? `no queue here: ${text}` : `no queue can be kept here: ${text}`;
}
