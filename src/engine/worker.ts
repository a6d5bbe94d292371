import { parentPort, workerData } from "node:worker_threads";
import { openTensorBoardLog } from "../tensorboard/log.ts";
import type { CostEstimate, ProgressEvent, RunEvent } from "../runs/events.ts";
import { runTraining } from "../commands/train/run.ts";
import { evaluatePictures } from "../commands/evaluate/run.ts";
import { exportCheckpoint } from "../commands/export/run.ts";
import { failureOf } from "../system/failure.ts";
import { generatePictures } from "../commands/generate/run.ts";
import { evaluatePhotos } from "../commands/evaluate/photos.ts";
import type { FromWorker, Tasks, ToWorker, WorkerStart } from "./messages.ts";

/** The thread that the engine runs in: ONNX Runtime blocks it while a graph runs. */

const { task, settings, stop } = workerData as WorkerStart;
const send = (message: FromWorker): void => parentPort?.postMessage(message);
const shouldStop = (): boolean => Atomics.load(stop, 0) === 1;

function confirm(estimate: CostEstimate): Promise<boolean> {
  send({ kind: "confirm", estimate });
  return new Promise((resolve) => parentPort?.once("message", ({ yes }: ToWorker) => resolve(yes)));
}

async function run(): Promise<Tasks[typeof task]["result"]> {
  const emit = (event: Tasks[typeof task]["event"]): void => send({ kind: "event", event });
  if (task === "train") {
    const { request, resume, tensorBoard = false } = settings as Tasks["train"]["settings"];
    const log = tensorBoard ? await openTensorBoardLog(request.output, { resume }) : undefined;
    const emitAndLog = (event: RunEvent | ProgressEvent): void => {
      emit(event);
      log?.write(event);
    };
    try {
      return await runTraining(request, { resume }, { emit: emitAndLog, shouldStop, confirm });
    } finally {
      log?.close();
    }
  }
  if (task === "evaluate") return evaluatePictures(settings as Tasks["evaluate"]["settings"], { emit, shouldStop });
  if (task === "export") return exportCheckpoint(settings as Tasks["export"]["settings"], { emit });
  if (task === "photos") return evaluatePhotos(settings as Tasks["photos"]["settings"], { emit, shouldStop });
  return generatePictures(settings as Tasks["generate"]["settings"], { emit, shouldStop });
}

try {
  send({ kind: "result", result: await run() });
} catch (error) {
  send(failureOf(error));
}
parentPort?.close();
