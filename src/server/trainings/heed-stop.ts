import { existsSync } from "node:fs";

/** Between two looks. */
const LOOK_MS = 300;

/**
 * Does as Ctrl-C does once a file is there, until the process ends: so a training is stopped that has no run's folder yet, and whose number no
 * signal can be sent to for sure, as on Windows.
 * @param leave where nobody listens for Ctrl-C yet
 */
export function heedStop(file: string, leave: () => void = () => process.exit(130)): void {
  const timer = setInterval(() => {
    if (!existsSync(file)) return;
    clearInterval(timer);
    if (!process.emit("SIGINT")) leave();
  }, LOOK_MS).unref();
}
