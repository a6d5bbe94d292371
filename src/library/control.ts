import type { Phase } from "../runs/events.ts";

/** What every call that takes long takes beside its options. */
export interface Control<Event = WorkEvent> {
  /** Told how far the work is, and what is to know about it. */
  readonly onEvent?: ((event: Event) => void) | undefined;
  /** Gives the work up: the call rejects with the signal's reason. (A training that has begun saves its state, and does not reject.) */
  readonly signal?: AbortSignal | undefined;
}

/** How far work is, or a line that people should know. */
export type WorkEvent =
  | {
      /** So much of a phase is done. */
      readonly type: "progress";
      /** What is being done. */
      readonly phase: WorkPhase;
      /** Bytes of "downloading", else steps of no fixed length. */
      readonly done: number;
      /** What `done` reaches. */
      readonly total: number;
    }
  | {
      /** Something is to know about the work, which goes on. */
      readonly type: "warning";
      /** A line for people. */
      readonly text: string;
    };

/** The stretches of work that take time. New ones may come with a minor version. */
export type WorkPhase = "downloading" | Phase | "drawing" | "scoring" | "judging";
