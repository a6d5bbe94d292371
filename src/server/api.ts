import type { CachedModel } from "../hub/in-cache.ts";
import type { WrittenChoice } from "../runs/best.ts";
import type { CurveChart } from "../settings/method-entry.ts";
import type { TrainSettings } from "../settings/train-settings.ts";
import type { RunEvent } from "../runs/events.ts";
import type { StopRequest } from "../runs/requests.ts";
import type { RunState } from "./run-state.ts";

/** What the server and the page say to each other, as JSON. */

/** The library. */
export interface RunList {
  /** The folders that the server looks in. */
  readonly roots: readonly string[];
  readonly runs: readonly RunRow[];
  /** What is wrong with the page's own notes. */
  readonly problem?: string | undefined;
}

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
  /** Whether rpo judge made it: nothing trains, and it can be given no steps. */
  readonly isJudged: boolean;
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
  readonly asked?: StopRequest | undefined;
  /** Whether it was asked for a validation out of turn that it has not done yet. */
  readonly isValidationAsked: boolean;
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

/** A heading of the form for a new run, with its settings. */
export interface FormGroup {
  readonly title: string;
  readonly fields: readonly FormField[];
}

/** A setting of `rpo train`. */
export interface FormField {
  readonly key: string;
  readonly name: string;
  readonly help: string;
  /** What it is where nothing is given. */
  readonly usual?: string;
  /** The methods that have it; absent: all. */
  readonly methods?: readonly string[];
  readonly choices?: readonly { readonly name: string; readonly about?: string }[];
  readonly isSwitch?: boolean;
}

/** Models that are on this machine: nothing has to be fetched for them. */
export interface ModelList {
  /** The hub's cache. */
  readonly cache: string;
  readonly models: readonly CachedModel[];
}

/** A benchmark in the library. */
export interface BenchRow {
  readonly id: string;
  /** Its folder's name, below the folder of runs. */
  readonly name: string;
  /** Undefined where none was begun, or the file that says it is damaged. */
  readonly rows: { readonly done: number; readonly total: number } | undefined;
  readonly isLive: boolean;
}

/** A benchmark's results so far. */
export interface BenchTables {
  readonly name: string;
  readonly settings: string | undefined;
  readonly rows: number;
  /** By the functions of its own page, which escape what they fill in; undefined where no row is done. */
  readonly html: string | undefined;
}

/** Photos for a new run, as training will see them. */
export interface PhotoList {
  readonly folder: string;
  readonly photos: readonly PhotoRow[];
  /** What people should know before they train on them. */
  readonly notes: readonly string[];
  /** Why they cannot be trained on. */
  readonly problem?: string;
}

export interface PhotoRow {
  readonly name: string;
  readonly width?: number;
  readonly height?: number;
  /** Where photos have them, its bucket, in words. */
  readonly bucket?: string;
  readonly problem?: string;
}

/** What the checks of the command line say of a new run. */
export interface CheckedTraining {
  /** What it will be taught with: "training" and "validation" prompts, filled in. */
  readonly prompts: { readonly training: readonly string[]; readonly validation: readonly string[] };
  /** Lines to know about, where nothing is wrong. */
  readonly notes: readonly string[];
  readonly photos: number;
  readonly steps: number;
  readonly device: string;
}

export interface QueueView {
  /** Whether this server keeps the queue; another one over the same folder may. */
  readonly isKept: boolean;
  readonly paused: boolean;
  readonly jobs: readonly QueueJob[];
  /** Lines to know about: why there is no queue here, that it was damaged, that it cannot be saved. */
  readonly problems: readonly string[];
}

export interface QueueJob {
  readonly id: string;
  readonly label: string;
  readonly state: "waiting" | "running" | "done" | "stopped" | "failed";
  readonly output: string;
  readonly message?: string | undefined;
  /** Of its run, once that has begun. */
  readonly run?: string;
}

/** Pictures of one noise each, as PNG in base64. */
export interface DrawnPairs {
  readonly pictures: readonly { readonly seed: number; readonly start: string; readonly chosen: string }[];
}
