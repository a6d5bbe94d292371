import type { Device } from "../device.ts";

/** The device that is fastest on this machine. */
export function fastestDevice(): Promise<Device> {
  return Promise.resolve("cpu");
}
