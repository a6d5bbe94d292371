import { open, readFile, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { UsageError } from "../../tensor/errors.ts";

/** Who writes the results of a benchmark. */
interface Holder {
  readonly host: string;
  readonly pid: number;
}

/**
 * Keeps a benchmark's folder for one coordinator, so that results are appended by one.
 * @returns a function that lets it go
 * @throws UsageError when another process has it
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, "lock.json");
  const me: Holder = { host: hostname(), pid: process.pid };
  for (let tries = 0; ; tries++) {
    try {
      const file = await open(path, "wx");
      await file.writeFile(JSON.stringify(me));
      await file.close();
      return () => rm(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const holder = await readHolder(path);
    const dead = holder === undefined || (holder.host === me.host && !isAlive(holder.pid));
    if (!dead || tries > 0)
      throw new UsageError(
        `${folder}: another rpo bench works here (process ${holder?.pid} on ${holder?.host}); wait for it, or remove ${path} if it is gone`,
      );
    await rm(path, { force: true });
  }
}

async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as Holder;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
