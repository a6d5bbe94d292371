import type { WrittenChoice } from "../runs/best.ts";
import type { CurveChart } from "../settings/method-entry.ts";
import type { TrainSettings } from "../settings/train-settings.ts";
import type { RunEvent } from "../runs/events.ts";
import type { RunState } from "./run-state.ts";

/** What the server and the page say to each other, as JSON. */

/** A run in the library. */
export interface RunRow {
  /** What it is asked for by; changes with the folder's place. */
  readonly id: string;
  /** Its folder's name, below the folder of runs. */
  readonly name: string;
  /** "[V] dog" */
  readonly subject: string;
  readonly method: string;
  readonly state: RowState;
  readonly step: number;
  readonly steps: number;
  readonly best: WrittenChoice | undefined;
  /** A picture of it, by its path in the folder; undefined where there is none yet. */
  readonly picture: string | undefined;
  /** Of all that is in it. */
  readonly bytes: number;
  /** When something last happened, ISO 8601. */
  readonly changed: string;
  readonly archived: boolean;
  /** Why it cannot be read. */
  readonly problem?: string;
}

/** `live`: a process works on it. `stopped`: it can go on. */
export type RowState = "live" | "stopped" | "finished" | "failed" | "damaged";

/** What a page is told of a run: all of it first, then what comes. */
export type RunNews =
  | ({ readonly type: "all" } & RunView)
  | { readonly type: "events"; readonly events: readonly RunEvent[] }
  | { readonly type: "facts"; readonly facts: RunFacts }
  | { readonly type: "problem"; readonly message: string };

export interface RunView {
  readonly name: string;
  readonly folder: string;
  readonly settings: TrainSettings;
  /** "Reward preference optimization" */
  readonly title: string;
  /** The method's own charts; other curves are shown by their names. */
  readonly charts: readonly CurveChart[];
  readonly state: RunState;
  readonly facts: RunFacts;
}

/** What is not in the log, and may change without it. */
export interface RunFacts {
  /** Whether a process works in the folder. */
  readonly live: boolean;
  /** Resident memory of that process, where the system tells. */
  readonly memoryBytes?: number | undefined;
  /** What that process was asked for and has not done yet. */
  readonly asked?: string | undefined;
  /** Steps whose checkpoint is there, with its size. */
  readonly checkpoints: readonly { readonly step: number; readonly bytes: number }[];
  readonly best: WrittenChoice | undefined;
  /** What those liked best who did not know what they saw. */
  readonly votes: readonly { readonly step: number; readonly votes: number }[];
}

/** What a refusal says. */
export interface Problem {
  readonly error: string;
}
