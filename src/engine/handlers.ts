import type { Loaded, ServiceControl, ServiceName, Services } from "./services/services.ts";
import type { TaskControl, TaskName, Tasks } from "./tasks.ts";

/** What does each task, in the engine's thread, which loads the code of its own task alone. */
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
  train: async (...task) => (await import("./train-and-log.ts")).trainAndLog(...task),
  judge: async (...task) => (await import("../judging/judge.ts")).judgeCheckpoints(...task),
  generate: async (...task) => (await import("../commands/generate/run.ts")).generatePictures(...task),
  evaluate: async (...task) => (await import("../commands/evaluate/run.ts")).evaluatePictures(...task),
  export: async (...task) => (await import("../commands/export/run.ts")).exportCheckpoint(...task),
  merge: async (...task) => (await import("../commands/merge/run.ts")).mergeCheckpoints(...task),
  photos: async (...task) => (await import("../commands/evaluate/photos.ts")).evaluatePhotos(...task),
};

export const SERVICES: ServiceHandlers = {
  pipeline: async (...service) => (await import("./services/pipeline.ts")).loadPipeline(...service),
  reward: async (...service) => (await import("./services/reward.ts")).loadReward(...service),
};
