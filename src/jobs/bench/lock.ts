import { open, readFile, rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { UsageError } from "../../tensor/errors.ts";
import { isAlive } from "../../tensor/processes.ts";

/** Who writes the results of a benchmark. */
const holderSchema = z.object({ host: z.string(), pid: z.int() });
type Holder = z.output<typeof holderSchema>;

const LOCK_FILE = "lock.json";

/** A lock whose holder cannot be read is being written, unless it is as old as this. */
const WRITING_MS = 10_000;

/**
 * Keeps a benchmark's folder for one coordinator, so that results are appended by one.
 * @returns a function that lets it go
 * @throws UsageError when another process has it
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, LOCK_FILE);
  const me: Holder = { host: hostname(), pid: process.pid };
  while (!(await take(path, me))) {
    const holder = await readHolder(path);
    if (holder === "unreadable") {
      await sleep(50);
      continue;
    }
    if (holder !== "dead" && isHeld(holder))
      throw new UsageError(
        `${folder}: another rpo bench works here (process ${holder.pid} on ${holder.host}); wait for it, or remove ${path} if it is gone`,
      );
    await removeDead(path, holder);
  }
  return async () => {
    if (isSame(await readHolder(path), me)) await rm(path, { force: true });
  };
}

/** Whether a coordinator works in a benchmark's folder, as far as can be told from here. */
export async function isLocked(folder: string): Promise<boolean> {
  const holder = await readHolder(join(folder, LOCK_FILE));
  return typeof holder === "object" && isHeld(holder);
}

/** Of a process of another machine nothing is known. */
function isHeld({ host, pid }: Holder): boolean {
  return host !== hostname() || isAlive(pid);
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
