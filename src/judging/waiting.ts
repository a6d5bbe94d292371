import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { StopSignal } from "../system/work.ts";

/** Files that others are writing. */

/** How long a file that is not whole may stay as it is before it is taken for damaged, and how often is looked. */
export interface Patience {
  readonly quietMs: number;
  readonly lookMs: number;
}

export const PATIENCE: Patience = { quietMs: 15_000, lookMs: 1000 };

/** Tells of each path whether it still changes. */
export interface ChangeWatch {
  /** Whether it has changed since the last look, or not long ago. */
  isChanging(path: string): Promise<boolean>;
}

export function watchChanges({ quietMs }: Patience, now: () => number = () => performance.now()): ChangeWatch {
  const seen = new Map<string, { readonly mark: string; readonly since: number }>();
  return {
    async isChanging(path) {
      const files = await filesOf(path);
      if (files.length === 0) return false;
      const mark = files.map(({ size, mtimeMs }) => `${size} ${mtimeMs}`).join();
      const before = seen.get(path);
      if (before?.mark !== mark) {
        // one that was written long ago does not change any more
        const age = Math.max(0, Date.now() - Math.max(...files.map(({ mtimeMs }) => mtimeMs)));
        seen.set(path, { mark, since: before === undefined ? now() - age : now() });
      }
      return now() - (seen.get(path)?.since ?? 0) < quietMs;
    },
  };
}

/** A file, or those of a folder and the folder itself. */
async function filesOf(path: string): Promise<{ readonly size: number; readonly mtimeMs: number }[]> {
  const names = await readdir(path).catch((): string[] => []);
  const files = [];
  for (const each of [path, ...names.map((name) => join(path, name))]) {
    const info = await stat(each).catch(() => undefined);
    if (info !== undefined) files.push(info);
  }
  return files;
}

/** Sleeps, but not for long when it is asked to stop: the signal is looked at, for nothing tells of it in the engine's thread. */
export async function pause(milliseconds: number, signal: StopSignal): Promise<void> {
  const until = performance.now() + milliseconds;
  while (!signal.aborted && performance.now() < until) await sleep(Math.min(100, until - performance.now()));
}
