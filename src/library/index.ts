/**
 * Teach a Stable Diffusion model your subject from a few photos, and keep the right checkpoint.
 *
 * Every function takes one object of options, named as the command line's flags are. What takes long also takes `onEvent`, told how far it
 * is, and `signal`, which gives it up; the engine works in threads of its own.
 *
 * What is exported here is public and changes by semantic versioning. Everything else in the package is not, and cannot be imported.
 *
 * @packageDocumentation
 */

import { VERSION } from "../system/version.ts";

export type {
  AnchorsEvent,
  CostEstimate,
  Phase,
  PromptAnchors,
  RoundEvent,
  RoundImage,
  RunEvent,
  ScoredImage,
  StartingPictureEvent,
  StepEvent,
  StopReason,
  ValidationEvent,
  WrittenPicture,
} from "../runs/events.ts";
export { ModelError, UsageError, type Message, type NamedSetting } from "../system/errors.ts";
export type { Control, WorkEvent, WorkPhase } from "./control.ts";
export {
  evaluate,
  type EvaluateOptions,
  type Evaluation,
  type JudgedPicture,
  type JudgeRecord,
  type Scores,
} from "./evaluate.ts";
export { judge, type Judgement, type JudgedCheckpoint, type JudgeEvent, type JudgeOptions } from "./judge.ts";
export type { DrawnPicture, Picture, PictureSource } from "./picture.ts";
export {
  loadPipeline,
  type EmbeddingOptions,
  type GenerateOptions,
  type LoraOptions,
  type Pipeline,
  type PipelineOptions,
  type Sampler,
} from "./pipeline.ts";
export { loadReward, type Reward, type RewardOptions, type Score, type ScoreOptions } from "./reward.ts";
export { select, type Candidate, type Selection, type SelectOptions } from "./select.ts";
export {
  train,
  type ResumeOptions,
  type SeveralSubjectsOptions,
  type SubjectOptions,
  type TrainEvent,
  type TrainOptions,
  type TrainResult,
} from "./train.ts";

/** This package's version. */
export const version: string = VERSION;
