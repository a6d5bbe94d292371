import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

type Attempt<T> = T | { readonly error: string };

/** What the native parts said of themselves, and how fast the engine is. */
export interface EngineReport {
  readonly pictures: Attempt<{ readonly sharp: string; readonly vips: string }>;
  readonly runtime: Attempt<{ readonly version: string; readonly devices: readonly string[] }>;
  /** Whether WebGPU can be used; an error where there is no GPU. */
  readonly gpu: Attempt<{ readonly works: boolean }>;
  readonly speed: Attempt<{ readonly threads: number; readonly gigaflops: number }>;
}

const LONGEST_MS = 120_000;

/** Tries the engine in processes of its own, for some two seconds. */
export async function tryEngine(threads: number): Promise<EngineReport> {
  const engine = await runProbe<Omit<EngineReport, "gpu">>("engine-probe.js", [String(threads)]);
  const gpu = await runProbe<EngineReport["gpu"]>("gpu-probe.js", []);
  if ("error" in engine) return { pictures: engine, runtime: engine, speed: engine, gpu };
  return { ...engine, gpu };
}

/** What a program prints. @returns an error where its process ended without */
async function runProbe<T>(name: string, args: readonly string[]): Promise<Attempt<T>> {
  const program = fileURLToPath(new URL(`./${name}`, import.meta.url));
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [program, ...args], { timeout: LONGEST_MS });
    return JSON.parse(stdout) as T;
  } catch (error) {
    const { signal, code } = error as { readonly signal?: string | null; readonly code?: unknown };
    return { error: signal ? `the process was ended by ${signal}` : `the process ended with ${String(code ?? error)}` };
  }
}
