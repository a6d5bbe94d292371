import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

type Attempt<T> = T | { readonly error: string };

/** What the native parts said of themselves, and how fast the engine is. */
export interface EngineReport {
  readonly pictures: Attempt<{ readonly sharp: string; readonly vips: string }>;
  readonly runtime: Attempt<{ readonly version: string; readonly devices: readonly string[] }>;
  readonly speed: Attempt<{ readonly threads: number; readonly gigaflops: number }>;
}

const LONGEST_MS = 120_000;

/** Tries the engine in a process of its own, for some two seconds. */
export async function tryEngine(threads: number): Promise<EngineReport> {
  const program = fileURLToPath(new URL("./engine-probe.js", import.meta.url));
  try {
    const options = { timeout: LONGEST_MS };
    const { stdout } = await promisify(execFile)(process.execPath, [program, String(threads)], options);
    return JSON.parse(stdout) as EngineReport;
  } catch (error) {
    const { signal, code } = error as { readonly signal?: string | null; readonly code?: unknown };
    const reason = signal ? `the process was ended by ${signal}` : `the process ended with ${String(code ?? error)}`;
    return { pictures: { error: reason }, runtime: { error: reason }, speed: { error: reason } };
  }
}
