import { trainByMethod } from "../commands/train/run.ts";
import * as METHODS from "../methods/index.ts";
import type { ProgressEvent, RunControl, RunEvent } from "../runs/events.ts";
import type { MethodReport } from "../settings/method-entry.ts";
import { openTensorBoardLog } from "../tensorboard/log.ts";
import type { TrainResult } from "../training/train.ts";
import { extraValidationsOf } from "./stop.ts";
import type { WatchedTask } from "./tasks.ts";

/** Trains, and writes TensorBoard's event files beside the run's own log if that is wanted. Errors as with {@link trainByMethod}. */
export async function trainAndLog(
  { request, resume, dryRun = false, tensorBoard = false, askedValidations }: WatchedTask,
  control: RunControl,
): Promise<TrainResult> {
  const { tags }: MethodReport = METHODS[request.method].report;
  const log = tensorBoard && !dryRun ? await openTensorBoardLog(request.output, { resume, tags }) : undefined;
  const extra = askedValidations && extraValidationsOf(askedValidations);
  const emit = (event: RunEvent | ProgressEvent): void => {
    control.emit(event);
    log?.write(event);
  };
  try {
    return await trainByMethod(request, { resume, dryRun }, { ...control, emit, extra });
  } finally {
    log?.close();
  }
}
