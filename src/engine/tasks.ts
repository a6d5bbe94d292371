import type { PhotosResult, PhotosSettings } from "../commands/evaluate/photos.ts";
import type { Evaluation } from "../commands/evaluate/files.ts";
import type { EvaluateSettings } from "../commands/evaluate/run.ts";
import type { ExportEvent, ExportResult } from "../commands/export/run.ts";
import type { ExportSettings } from "../commands/export/settings.ts";
import type { GenerateSettings } from "../commands/generate/request.ts";
import type { GenerateEvent, GenerateResult } from "../commands/generate/run.ts";
import type { MergeEvent, MergeResult } from "../commands/merge/run.ts";
import type { MergeSettings } from "../commands/merge/settings.ts";
import type { JudgeResult, JudgeTask } from "../judging/task.ts";
import type { TrainTask } from "../commands/train/resolve.ts";
import type { EvaluateEvent } from "../evaluation/open-judges.ts";
import type { CostEstimate, ProgressEvent, RunEvent } from "../runs/events.ts";
import type { WorkControl } from "../system/work.ts";
import type { TrainResult } from "../training/train.ts";
import type { AskedCount } from "./stop.ts";

/** The long tasks, each with its settings (plain data), what it reports and what it ends with. */
export interface Tasks {
  readonly train: { settings: WatchedTask; event: RunEvent | ProgressEvent; result: TrainResult };
  readonly judge: { settings: JudgeTask; event: RunEvent | ProgressEvent; result: JudgeResult };
  readonly generate: { settings: GenerateSettings; event: GenerateEvent; result: GenerateResult };
  readonly evaluate: { settings: EvaluateSettings; event: EvaluateEvent; result: Evaluation };
  readonly export: { settings: ExportSettings; event: ExportEvent; result: ExportResult };
  readonly merge: { settings: MergeSettings; event: MergeEvent; result: MergeResult };
  readonly photos: { settings: PhotosSettings; event: EvaluateEvent; result: PhotosResult };
}

/** A training that can be asked for validations while it is under way. */
export type WatchedTask = TrainTask & { readonly askedValidations?: AskedCount | undefined };

export type TaskName = keyof Tasks;

export interface TaskControl<Event> extends WorkControl<Event> {
  /** Asks whether to go on at this cost. */
  readonly confirm: (estimate: CostEstimate) => Promise<boolean>;
}
