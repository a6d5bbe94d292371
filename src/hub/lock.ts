import { open, readFile, rm, stat, utimes } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { cannotWrite, makeFolder } from "../tensor/files.ts";
import { isAlive } from "../tensor/processes.ts";
import { checkStopped } from "./errors.ts";

interface LockOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called once when another process has the lock. */
  readonly onWait: () => void;
  readonly pollMs?: number;
}

/** A holder shows that it lives so often, */
const HEARTBEAT_MS = 20_000;
/** and is dead when it has not for so long. */
const STALE_MS = 120_000;

/**
 * Runs `work` while no other process runs work under the same lock, so that a file is fetched once.
 *
 * A courtesy, not a safeguard: on a shared disk where it fails, downloads write the same bytes to the same places.
 */
export async function withLock<T>(
  path: string,
  { signal, onWait, pollMs = 500 }: LockOptions,
  work: () => Promise<T>,
): Promise<T> {
  await makeFolder(dirname(path));
  for (let tries = 0; !(await take(path)); tries++) {
    if (await isStale(path)) {
      await rm(path, { force: true });
      continue;
    }
    if (tries === 0) onWait();
    await sleep(pollMs, undefined, { signal }).catch(() => checkStopped(signal));
  }
  const heartbeat = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => undefined);
  }, HEARTBEAT_MS);
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    await rm(path, { force: true });
  }
}

async function take(path: string): Promise<boolean> {
  try {
    const file = await open(path, "wx");
    await file.writeFile(`${process.pid} ${hostname()}\n`);
    await file.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw cannotWrite(path, error);
  }
}

async function isStale(path: string): Promise<boolean> {
  const info = await stat(path).catch(() => undefined);
  if (info === undefined) return false;
  if (Date.now() - info.mtimeMs > STALE_MS) return true;
  const [pid, host] = (await readFile(path, "utf8").catch(() => "")).trim().split(" ");
  return host === hostname() && pid !== String(process.pid) && !isAlive(Number(pid));
}
