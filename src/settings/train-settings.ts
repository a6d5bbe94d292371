import { PROCESSOR } from "./common.ts";
import { defaultsOf, type ValuesOf } from "./setting.ts";
import { TRAIN } from "./train.ts";

export { DEFAULT_LEARNING_RATE, defaultLearningRate } from "./learning.ts";

/** Every setting of a run, resolved: what config.json holds and what a worker is sent. Plain JSON. */
export type TrainSettings = ValuesOf<typeof TRAIN>;

/** Settings that the model decides may be left open. */
export type TrainRequest = ValuesOf<typeof TRAIN, "none" | "model">;

/** Those that are folders or files of models: they may move while a run is about, and are known by their content. */
export const TRAINING_MODELS = ["model", "reward", "vae", "imageEncoder"] as const;
export type TrainingModel = (typeof TRAINING_MODELS)[number];

export type Condition = TrainSettings["condition"];

/** Defaults of everything that has one whatever the model and the machine; the paper's where it gives one. */
export const TRAIN_DEFAULTS = { ...defaultsOf(TRAIN), ...PROCESSOR };
