import type { ExportFormat } from "../../settings/export.ts";
import type { Precision } from "../../checkpoints/write-pipeline.ts";
import type { Source } from "../source.ts";

export interface ExportSettings extends Source {
  /** What was named: a run's folder or a checkpoint. */
  readonly source: string;
  readonly format: ExportFormat;
  /** A file for kohya, else a folder. Absent: in the run's folder. */
  readonly output: string | undefined;
  readonly dtype: Precision;
  readonly threads: number;
}
