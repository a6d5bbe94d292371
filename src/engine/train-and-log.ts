import type { TrainTask } from "../commands/train/resolve.ts";
import type { ProgressEvent, RunEvent } from "../runs/events.ts";
import { openTensorBoardLog } from "../tensorboard/log.ts";
import { runTraining } from "../commands/train/run.ts";
import type { TrainResult } from "../training/train.ts";
import type { TaskControl } from "./tasks.ts";

/** Trains, and writes TensorBoard's event files beside the run's own log if that is wanted. Errors as with {@link train}. */
export async function trainAndLog(
  { request, resume, tensorBoard = false }: TrainTask,
  { emit, signal, confirm }: TaskControl<RunEvent | ProgressEvent>,
): Promise<TrainResult> {
  const log = tensorBoard ? await openTensorBoardLog(request.output, { resume }) : undefined;
  const emitAndLog = (event: RunEvent | ProgressEvent): void => {
    emit(event);
    log?.write(event);
  };
  try {
    return await runTraining(request, { resume }, { emit: emitAndLog, shouldStop: () => signal.aborted, confirm });
  } finally {
    log?.close();
  }
}
