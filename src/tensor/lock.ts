import { open, readFile, rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { UsageError } from "./errors.ts";
import { isAlive } from "./processes.ts";

/** Who writes in a folder. `started`: when the process was, in seconds since 1970; the number alone may be another's by now. */
const holderSchema = z.object({ host: z.string(), pid: z.int(), started: z.number().optional() });
type Holder = z.output<typeof holderSchema>;

/** In the folder that is locked. */
export const LOCK_FILE = "lock.json";

/** A lock whose holder cannot be read is being written, unless it is as old as this. */
const WRITING_MS = 10_000;

/** Clocks are set, and times are rounded. */
const SAME_START_SECONDS = 10;

export interface LockOptions {
  /** The command that works in it: "rpo bench". */
  readonly command: string;
  /** Whether the lock of another machine counts, of whose processes nothing is known. */
  readonly otherMachines: boolean;
}

/**
 * Keeps a folder for one process, so that one alone writes in it.
 * @returns a function that lets it go
 * @throws UsageError when another has it
 */
export async function lockFolder(
  folder: string,
  { command, otherMachines }: LockOptions,
): Promise<() => Promise<void>> {
  const path = join(folder, LOCK_FILE);
  const me: Holder = { host: hostname(), pid: process.pid, started: startedAt() };
  while (!(await take(path, me))) {
    const holder = await readHolder(path);
    if (holder === "unreadable") {
      await sleep(50);
      continue;
    }
    if (holder !== "dead" && isHeld(holder, otherMachines))
      throw new UsageError(
        `${folder}: another ${command} works here (process ${holder.pid} on ${holder.host}); wait for it, or remove ${path} if it is gone`,
      );
    await removeDead(path, holder);
  }
  return async () => {
    if (isSame(await readHolder(path), me)) await rm(path, { force: true });
  };
}

/** When this process was started, in seconds since 1970. */
function startedAt(): number {
  return Math.round(Date.now() / 1000 - process.uptime());
}

/** Whether somebody works in a folder, as far as can be told from here. */
export async function isLocked(folder: string): Promise<boolean> {
  const holder = await readHolder(join(folder, LOCK_FILE));
  return typeof holder === "object" && isHeld(holder, true);
}

/** A container that was started again may have the host's name and the process's number of its last life. */
function isHeld({ host, pid, started }: Holder, otherMachines: boolean): boolean {
  if (host !== hostname()) return otherMachines;
  if (pid === process.pid && started !== undefined && Math.abs(started - startedAt()) > SAME_START_SECONDS)
    return false;
  return isAlive(pid);
}

async function take(path: string, me: Holder): Promise<boolean> {
  const file = await open(path, "wx").catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return undefined;
    throw error;
  });
  if (file === undefined) return false;
  try {
    await file.writeFile(JSON.stringify(me));
  } finally {
    await file.close();
  }
  return true;
}

/** Removes a dead lock. Of several that found it one may, and looks again first: another may have taken it over since. */
async function removeDead(path: string, dead: Holder | "dead"): Promise<void> {
  const right = `${path}.takeover`;
  const file = await open(right, "wx").catch(() => undefined);
  if (file === undefined) {
    const info = await stat(right).catch(() => undefined);
    if (info !== undefined && Date.now() - info.mtimeMs > WRITING_MS) await rm(right, { force: true });
    await sleep(50);
    return;
  }
  try {
    await file.close();
    if (isSame(await readHolder(path), dead)) await rm(path, { force: true });
  } finally {
    await rm(right, { force: true });
  }
}

/** One that is unreadable and not old is being written, or was removed just now. */
async function readHolder(path: string): Promise<Holder | "dead" | "unreadable"> {
  try {
    return holderSchema.parse(JSON.parse(await readFile(path, "utf8")));
  } catch {
    const info = await stat(path).catch(() => undefined);
    return info !== undefined && Date.now() - info.mtimeMs > WRITING_MS ? "dead" : "unreadable";
  }
}

function isSame(a: Holder | "dead" | "unreadable", b: Holder | "dead"): boolean {
  return typeof a === "string" || typeof b === "string" ? a === b : a.host === b.host && a.pid === b.pid;
}
