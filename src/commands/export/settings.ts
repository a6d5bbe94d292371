import type { Precision } from "../../checkpoints/write-pipeline.ts";

export const EXPORT_FORMATS = ["peft", "kohya", "diffusers"] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export interface ExportSettings {
  /** A run's folder, whose best.json names the checkpoint; or a checkpoint: a LoRA's file or folder, a fine-tuned U-Net's folder. */
  readonly source: string;
  /** The model that was trained; absent: the run's own. */
  readonly model: string | undefined;
  /** Of the model's weights. */
  readonly variant: string | undefined;
  readonly format: ExportFormat;
  /** A file for kohya, else a folder. Absent: in the run's folder. */
  readonly output: string | undefined;
  readonly dtype: Precision;
  readonly threads: number;
}
