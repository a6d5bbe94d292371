import { utimes } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { makeFolder } from "../system/files.ts";
import { tryLock } from "../system/lock-file.ts";
import { checkStopped } from "./errors.ts";

interface LockOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called once when another process has the lock. */
  readonly onWait: () => void;
  readonly pollMs?: number;
}

/** How often a lock's holder shows that it is alive, */
const HEARTBEAT_MS = 20_000;
/** and after how long without a sign it counts as dead. Its process cannot be asked: caches are shared among machines. */
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
  const take = () => tryLock(path, ({ fate, changedMs }) => fate === "dead" || Date.now() - changedMs > STALE_MS);
  let outcome = await take();
  if (typeof outcome !== "function") onWait();
  while (typeof outcome !== "function") {
    await sleep(pollMs, undefined, { signal }).catch(() => checkStopped(signal));
    outcome = await take();
  }
  const heartbeat = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => undefined);
  }, HEARTBEAT_MS);
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    await outcome();
  }
}
