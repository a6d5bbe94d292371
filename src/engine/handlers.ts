import { evaluatePhotos } from "../commands/evaluate/photos.ts";
import { evaluatePictures } from "../commands/evaluate/run.ts";
import { exportCheckpoint } from "../commands/export/run.ts";
import { generatePictures } from "../commands/generate/run.ts";
import { mergeCheckpoints } from "../commands/merge/run.ts";
import { judgeCheckpoints } from "../judging/judge.ts";
import { loadPipeline } from "./services/pipeline.ts";
import { loadReward } from "./services/reward.ts";
import type { Loaded, ServiceControl, ServiceName, Services } from "./services/services.ts";
import type { TaskControl, TaskName, Tasks } from "./tasks.ts";
import { trainAndLog } from "./train-and-log.ts";

/** What does each task, in the engine's thread. */
export type TaskHandlers = {
  readonly [N in TaskName]: (
    settings: Tasks[N]["settings"],
    control: TaskControl<Tasks[N]["event"]>,
  ) => Promise<Tasks[N]["result"]>;
};

/** What loads each service there. */
export type ServiceHandlers = {
  readonly [N in ServiceName]: (settings: Services[N]["settings"], control: ServiceControl) => Promise<Loaded<N>>;
};

export const TASKS: TaskHandlers = {
  train: trainAndLog,
  judge: (settings, control) => judgeCheckpoints(settings, control),
  generate: generatePictures,
  evaluate: evaluatePictures,
  export: exportCheckpoint,
  merge: mergeCheckpoints,
  photos: evaluatePhotos,
};

export const SERVICES: ServiceHandlers = { pipeline: loadPipeline, reward: loadReward };
