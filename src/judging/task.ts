import type { TrainRequest } from "../settings/train-settings.ts";
import type { FilesOptions } from "./files.ts";
import type { Verdict } from "./verdict.ts";

/** A judging as the engine is told of it. */
export interface JudgeTask extends FilesOptions {
  /** As of a training: what trains is not asked. */
  readonly request: TrainRequest;
}

export interface JudgeResult {
  readonly reason: "done" | "interrupted";
  /** Checkpoints that were judged now, and not before. */
  readonly judged: number;
  /** How often the starting model's U-Net and text encoders were read from the disk. */
  readonly loads: { readonly unet: number; readonly texts: number };
  readonly verdict: Verdict;
}
