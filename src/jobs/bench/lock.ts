import { open, readFile, rename, rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { UsageError } from "../../tensor/errors.ts";
import { isAlive } from "../../tensor/processes.ts";

/** Who writes the results of a benchmark. */
const holderSchema = z.object({ host: z.string(), pid: z.int() });
type Holder = z.output<typeof holderSchema>;

/** A lock whose holder cannot be read is being written, unless it is as old as this. */
const WRITING_MS = 10_000;

/**
 * Keeps a benchmark's folder for one coordinator, so that results are appended by one.
 * @returns a function that lets it go
 * @throws UsageError when another process has it
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, "lock.json");
  const me: Holder = { host: hostname(), pid: process.pid };
  while (!(await take(path, me))) {
    const holder = await readHolder(path);
    if (holder === "unreadable") {
      await sleep(50);
      continue;
    }
    if (holder !== "dead" && (holder.host !== me.host || isAlive(holder.pid)))
      throw new UsageError(
        `${folder}: another rpo bench works here (process ${holder.pid} on ${holder.host}); wait for it, or remove ${path} if it is gone`,
      );
    await removeDead(path, holder, me);
  }
  return async () => {
    if (isSame(await readHolder(path), me)) await rm(path, { force: true });
  };
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

/** Of several that find a dead lock one takes it away; what it caught is put back if it is a living one's after all. */
async function removeDead(path: string, dead: Holder | "dead", me: Holder): Promise<void> {
  const caught = `${path}.${me.host.replace(/[^\w-]/g, "-")}-${me.pid}`;
  const renamed = await rename(path, caught).then(
    () => true,
    () => false, // another was faster
  );
  if (!renamed) return;
  if (isSame(await readHolder(caught), dead)) await rm(caught, { force: true });
  else await rename(caught, path);
}

/** Undated and unreadable means that somebody is writing it, or has just removed it. */
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
