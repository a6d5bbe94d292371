import type { CostEstimate, ProgressEvent, RunEvent } from "../runs/events.ts";
import type { TrainTask } from "../commands/train/resolve.ts";
import type { TrainResult } from "../training/train.ts";
import type { EvaluateSettings, Evaluation } from "../commands/evaluate/run.ts";
import type { ExportSettings } from "../commands/export/settings.ts";
import type { ExportEvent, ExportResult } from "../commands/export/run.ts";
import type { Failure } from "../system/failure.ts";
import type { GenerateEvent, GenerateResult, GenerateSettings } from "../commands/generate/run.ts";
import type { EvaluateEvent } from "../evaluation/open-judges.ts";
import type { PhotosResult, PhotosSettings } from "../commands/evaluate/photos.ts";

/** The long tasks, each with its settings (plain data), what it reports and what it ends with. */
export interface Tasks {
  readonly train: {
    settings: TrainTask;
    event: RunEvent | ProgressEvent;
    result: TrainResult;
  };
  readonly generate: { settings: GenerateSettings; event: GenerateEvent; result: GenerateResult };
  readonly evaluate: { settings: EvaluateSettings; event: EvaluateEvent; result: Evaluation };
  readonly export: { settings: ExportSettings; event: ExportEvent; result: ExportResult };
  readonly photos: { settings: PhotosSettings; event: EvaluateEvent; result: PhotosResult };
}

export type TaskName = keyof Tasks;

/** What a worker is started with. `stop` is shared memory: 1 asks the task to finish what it is at and end. */
export interface WorkerStart<N extends TaskName = TaskName> {
  readonly task: N;
  readonly settings: Tasks[N]["settings"];
  readonly stop: Int32Array;
}

export type FromWorker =
  | { readonly kind: "event"; readonly event: Tasks[TaskName]["event"] }
  | { readonly kind: "confirm"; readonly estimate: CostEstimate }
  | { readonly kind: "result"; readonly result: Tasks[TaskName]["result"] }
  | Failure;

export interface ToWorker {
  readonly kind: "confirmed";
  readonly yes: boolean;
}
