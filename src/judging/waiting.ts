import { setTimeout as sleep } from "node:timers/promises";
import type { StopSignal } from "../system/work.ts";
import { stampOf } from "./stamps.ts";

/** Files that others are writing. */

/** In milliseconds. */
export interface Patience {
  /** How long a file that is not whole may stay as it is before it is taken for damaged. */
  readonly quietMs: number;
  /** How long a file that seems whole has to stay as it is before it is read: not all programs write from the beginning to the end. */
  readonly settleMs: number;
  /** How often is looked. */
  readonly lookMs: number;
}

export const PATIENCE: Patience = { quietMs: 15_000, settleMs: 2000, lookMs: 1000 };

/** Tells of each path whether it still changes. */
export interface ChangeWatch {
  /** Whether a file, or any in a folder, has changed since the last look, or within so many milliseconds. */
  isChanging(path: string, within: number): Promise<boolean>;
}

export function watchChanges(now: () => number = () => performance.now()): ChangeWatch {
  const seen = new Map<string, { readonly stamp: string; readonly since: number }>();
  return {
    async isChanging(path, within) {
      const stamp = await stampOf(path);
      if (stamp === undefined) return false;
      const before = seen.get(path);
      if (before?.stamp !== stamp.text) {
        // one that was written long ago does not change any more
        const age = Math.max(0, Date.now() - stamp.changedAt);
        seen.set(path, { stamp: stamp.text, since: before === undefined ? now() - age : now() });
      }
      return now() - (seen.get(path)?.since ?? 0) < within;
    },
  };
}

/** Sleeps, but not for long when it is asked to stop: the signal is looked at, for nothing tells of it in the engine's thread. */
export async function pause(milliseconds: number, signal: StopSignal): Promise<void> {
  const until = performance.now() + milliseconds;
  while (!signal.aborted && performance.now() < until) await sleep(Math.min(100, until - performance.now()));
}
