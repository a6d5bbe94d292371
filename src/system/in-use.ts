import { setTimeout as sleep } from "node:timers/promises";

/** What Windows answers while another process has a file open, or is removing it. */
const IN_USE = new Set(["EPERM", "EACCES", "EBUSY"]);

/** Those that read a lock have it open for less than a millisecond, scanners for viruses for longer. */
const PATIENCE_MS = 3000;

/** Does something with a file that others may be reading, on Windows until they are done. `work` is begun anew each time. */
export async function whenNotInUse<T>(work: () => Promise<T>): Promise<T> {
  const begun = performance.now();
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const isInUse = process.platform === "win32" && IN_USE.has(String((error as NodeJS.ErrnoException).code));
      if (!isInUse || performance.now() - begun > PATIENCE_MS) throw error;
      await sleep(20);
    }
  }
}
