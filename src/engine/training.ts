import type { TrainTask } from "../commands/train/resolve.ts";
import type { CostEstimate, ProgressEvent, RunEvent } from "../runs/events.ts";
import {
  forgetOldRequests,
  forgetRequests,
  forgetValidationRequest,
  readRequest,
  readValidationRequest,
  requestsIn,
} from "../runs/requests.ts";
import type { TrainResult } from "../training/train.ts";
import { askOnceMore, createAskedCount } from "./stop.ts";
import { runTask, type TaskListeners } from "./host.ts";

/** Between two looks at what is asked of the run. */
const LOOK_MS = 500;

/**
 * Trains in a thread of its own, as {@link runTask} does, and does meanwhile what is asked of the run in its folder (`runs/requests.ts`):
 * whoever watches it need not have started it. What is asked is looked for from here, as the thread is busy, so that the training itself is the
 * same whether anybody asks or not.
 */
export async function runTraining(
  task: TrainTask,
  { signal, onEvent, confirm, ...listeners }: TaskListeners<"train">,
): Promise<TrainResult> {
  const run = task.request.output;
  const stop = new AbortController();
  const giveUp = (): void => stop.abort();
  if (signal?.aborted === true) giveUp();
  signal?.addEventListener("abort", giveUp);
  // what was asked before was asked of another process
  const old = await requestsIn(run);
  const giveUpIf = async (...asks: readonly string[]): Promise<void> => {
    const ask = await readRequest(run, old);
    if (ask !== undefined && asks.includes(ask)) giveUp();
  };
  const askedValidations = createAskedCount();
  /** The request for a validation that the thread was told of last. */
  let told: string | undefined;
  const tellOfValidation = async (): Promise<void> => {
    const asked = await readValidationRequest(run, old);
    if (asked === undefined || asked === told) return;
    told = asked;
    askOnceMore(askedValidations);
  };
  const look = async (): Promise<void> => {
    await giveUpIf("stop");
    await tellOfValidation();
  };
  const timer = setInterval(() => void look(), LOOK_MS).unref();
  let isOurs = false;
  try {
    const watched = { ...task, askedValidations };
    return await runTask("train", watched, {
      ...listeners,
      signal: stop.signal,
      onEvent(event: RunEvent | ProgressEvent) {
        if (event.type === "validation") {
          void giveUpIf("stop", "stop-after-validation");
          if (told !== undefined) void forgetValidationRequest(run, told);
        }
        onEvent?.(event);
      },
      async confirm(estimate: CostEstimate) {
        // another process's run is refused before
        isOurs = true;
        await forgetOldRequests(run, old);
        return (await confirm?.(estimate)) ?? true;
      },
    });
  } finally {
    clearInterval(timer);
    signal?.removeEventListener("abort", giveUp);
    if (isOurs) await forgetRequests(run);
  }
}
