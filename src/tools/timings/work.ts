import type { SessionOptions } from "../../runtime/session-options.ts";

export interface TimingOptions {
  readonly checkpoint: string;
  readonly memory: "normal" | "low";
  readonly session: SessionOptions;
}

/** Work that is ready to be timed: models are loaded, graphs are compiled at the latest by the first run. */
export interface TimedWork {
  run(): Promise<unknown>;
  release(): Promise<void>;
}

export type Work = (options: TimingOptions) => Promise<TimedWork>;
