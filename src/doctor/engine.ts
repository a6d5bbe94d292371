import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { DEVICES } from "../runtime/device.ts";
import { mayUseCuda, type CudaFacts, type CudaReport, type GpuTrial } from "./cuda.ts";

type Attempt<T> = T | { readonly error: string };

/** What the native parts said of themselves, and how fast the engine is. */
export interface EngineReport {
  readonly pictures: Attempt<{ readonly sharp: string; readonly vips: string }>;
  readonly runtime: Attempt<{ readonly version: string; readonly devices: readonly string[] }>;
  /** What came of WebGPU; an error where there is no GPU. */
  readonly webgpu: Attempt<GpuTrial>;
  readonly cuda: Attempt<CudaReport>;
  readonly speed: Attempt<{ readonly threads: number; readonly gigaflops: number }>;
}

const LONGEST_MS = 120_000;

/** Tries the engine in processes of its own, for some two seconds, and two more for each kind of GPU that there is. */
export async function tryEngine(threads: number): Promise<EngineReport> {
  const engine = await runProbe<Omit<EngineReport, "webgpu" | "cuda">>("engine-probe.js", [String(threads)]);
  const gpus = { webgpu: await tryGpu("webgpu"), cuda: await tryCuda() };
  if ("error" in engine) return { pictures: engine, runtime: engine, speed: engine, ...gpus };
  return { ...engine, ...gpus };
}

function tryGpu(device: string): Promise<Attempt<GpuTrial>> {
  return runProbe<GpuTrial>("gpu-probe.js", [device]);
}

async function tryCuda(): Promise<Attempt<CudaReport>> {
  const facts = await runProbe<CudaFacts>("cuda-probe.js", []);
  if ("error" in facts || !mayUseCuda(facts) || !(DEVICES as readonly string[]).includes("cuda")) return facts;
  return { ...facts, session: await tryGpu("cuda") };
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
