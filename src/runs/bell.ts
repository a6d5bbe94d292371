import { watch, type FSWatcher } from "node:fs";
import { setTimeout } from "node:timers/promises";

/** Waiting for a file to change, as far as the system tells of it: it does not on every disk, so that one looks now and then all the same. */
export interface Bell {
  /** Waits for a change since it was last waited for, so many milliseconds at most, or the signal. */
  wait(most: number, signal: AbortSignal): Promise<void>;
  /** Whether the system tells. */
  rings(): boolean;
  close(): void;
}

/** Changes that come within so many milliseconds are one. */
const TOGETHER_MS = 20;

/** @param name of the file, in a folder that is there */
export function createBell(folder: string, name: string): Bell {
  let watcher: FSWatcher | undefined;
  let rung = false;
  let ring: AbortController | undefined;
  const close = (): void => {
    watcher?.close();
    watcher = undefined;
  };
  try {
    watcher = watch(folder, { persistent: false }, (_event, file) => {
      if (file !== null && file !== name) return;
      rung = true;
      ring?.abort();
    });
    watcher.on("error", close);
  } catch {
    // not there, or no more watches left
  }
  return {
    rings: () => watcher !== undefined,
    close,
    async wait(most, signal) {
      ring = new AbortController();
      const either = AbortSignal.any([signal, ring.signal]);
      if (!rung) await setTimeout(most, undefined, { signal: either }).catch(() => undefined);
      if (rung) await setTimeout(TOGETHER_MS, undefined, { signal }).catch(() => undefined);
      ring = undefined;
      rung = false;
    },
  };
}

/** For those who look as often as they say. */
export const NO_BELL: Bell = {
  rings: () => false,
  close: () => undefined,
  wait: (most, signal) => setTimeout(most, undefined, { signal }).catch(() => undefined),
};
