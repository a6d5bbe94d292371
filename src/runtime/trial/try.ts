import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Device } from "../device.ts";

/** What came of using a device: whether a sum was right, and how fast it computes. */
export interface Trial {
  readonly works: boolean;
  /** Of work that stays on the device. */
  readonly gigaflops: number;
}

export type Attempt<T> = T | { readonly error: string };

const LONGEST_MS = 120_000;

/** Tries a device in a process of its own, for some two seconds. @param threads of the processor */
export function tryDevice(device: Device, threads = 1): Promise<Attempt<Trial>> {
  return runProgram<Trial>(new URL("./probe.js", import.meta.url), [device, String(threads)]);
}

/** What a program of this package prints. @returns an error where its process ended without */
export async function runProgram<T>(program: URL, args: readonly string[]): Promise<Attempt<T>> {
  try {
    const command = [fileURLToPath(program), ...args];
    const { stdout } = await promisify(execFile)(process.execPath, command, { timeout: LONGEST_MS });
    return JSON.parse(stdout) as Attempt<T>;
  } catch (error) {
    const { signal, code } = error as { readonly signal?: string | null; readonly code?: unknown };
    return { error: signal ? `the process was ended by ${signal}` : `the process ended with ${String(code ?? error)}` };
  }
}
