import type { StopFlag } from "./backends/backend.ts";

/** How often a run looks whether it is to stop. */
const LOOK_MS = 50;

/** Waits for a run, and asks for its end while the flag says so. */
export async function untilStopped<T>(running: Promise<T>, stop: StopFlag | undefined, cancel: () => void): Promise<T> {
  const look = stop && setInterval(() => stop.aborted && cancel(), LOOK_MS);
  try {
    return await running;
  } finally {
    clearInterval(look);
  }
}
