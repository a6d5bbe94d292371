import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { UsageError } from "./errors.ts";
import { lockStatusAt, tryLock } from "./lock-file.ts";

/** In the folder that is locked. */
export const LOCK_FILE = "lock.json";

/** How long a killed process may take to end, and a process on a disk without hard links to write its lock. */
const PATIENCE_MS = 3000;

export interface LockOptions {
  /** The command that works in it: "rpo bench". */
  readonly command: string;
  /** Whether a lock from another machine counts: nothing is known of the processes there. */
  readonly otherMachines: boolean;
  /** The lock's name, where what is locked is not the whole folder. */
  readonly file?: string;
}

/**
 * Locks a folder, so that only one process writes in it.
 * @returns a function that releases the lock
 * @throws UsageError when another has it
 */
export async function lockFolder(
  folder: string,
  { command, otherMachines, file = LOCK_FILE }: LockOptions,
): Promise<() => Promise<void>> {
  const path = join(folder, file);
  const begun = performance.now();
  for (;;) {
    const isLate = performance.now() - begun > PATIENCE_MS;
    const outcome = await tryLock(
      path,
      ({ fate }) => fate === "dead" || (fate === "elsewhere" && !otherMachines) || (fate === "damaged" && isLate),
    );
    if (typeof outcome === "function") return outcome;
    const { fate } = outcome;
    if ((fate === "ending" || fate === "damaged") && !isLate) {
      await sleep(50);
      continue;
    }
    if (fate === "damaged") continue;
    const { pid, host } = outcome.holder;
    const why = fate === "elsewhere" ? " (a container that is started anew is another host)" : "";
    throw new UsageError(
      fate === "ending"
        ? `${folder}: another ${command} was killed and has not ended yet (process ${pid}: a disk may not answer); wait for it`
        : `${folder}: another ${command} works here (process ${pid} on ${host}); wait for it, or remove ${path} if it is gone${why}`,
    );
  }
}

/** Whether somebody works in a folder, as far as can be told from here. */
export async function isLocked(folder: string): Promise<boolean> {
  const status = await lockStatusAt(join(folder, LOCK_FILE)).catch(() => undefined);
  return status !== undefined && status.fate !== "dead" && status.fate !== "damaged";
}
