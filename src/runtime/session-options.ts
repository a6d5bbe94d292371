import type { OpenOptions } from "./backends/backend.ts";
import type { Device } from "./device.ts";

/** Where and how a task's graphs run. */
export interface SessionOptions extends OpenOptions {
  /** Default: the CPU. */
  readonly device?: Device | undefined;
}
