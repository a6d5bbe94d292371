import type { CostEstimate, ProgressEvent, RunEvent } from "../rpo/events.ts";
import type { TrainRequest } from "../rpo/settings.ts";
import type { TrainResult } from "../rpo/train.ts";
import type { EvaluateSettings, Evaluation } from "./evaluate.ts";
import type { ExportSettings } from "./export-settings.ts";
import type { ExportEvent, ExportResult } from "./export.ts";
import type { Failure } from "./failure.ts";
import type { GenerateEvent, GenerateResult, GenerateSettings } from "./generate.ts";
import type { EvaluateEvent } from "./judges.ts";
import type { PhotosResult, PhotosSettings } from "./photos.ts";

/** The long tasks, each with its settings (plain data), what it reports and what it ends with. */
export interface Tasks {
  readonly train: {
    settings: {
      request: TrainRequest;
      resume: boolean;
      /** Whether to write event files for TensorBoard too. */
      tensorBoard?: boolean;
    };
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
