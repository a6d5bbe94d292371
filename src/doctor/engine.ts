import { runProgram, tryDevice, type Attempt, type Trial } from "../runtime/trial/try.ts";
import { mayUseCuda, type CudaFacts, type CudaReport } from "./cuda.ts";

/** What the native parts said of themselves, and how fast the engine is. */
export interface EngineReport {
  readonly pictures: Attempt<{ readonly sharp: string; readonly vips: string }>;
  readonly runtime: Attempt<{ readonly version: string; readonly devices: readonly string[] }>;
  /** What came of WebGPU; an error where there is no GPU. */
  readonly webgpu: Attempt<Trial>;
  readonly cuda: Attempt<CudaReport>;
  /** An error where it is not installed. */
  readonly openvino: Attempt<{ readonly version: string; readonly bfloat16: boolean }>;
  readonly speed: Attempt<{ readonly threads: number; readonly gigaflops: number }>;
}

/** What processes of their own say. */
export type EngineApart = "webgpu" | "cuda" | "openvino";

/** Tries the engine in processes of its own, for some two seconds, and two more for each kind of GPU that there is. */
export async function tryEngine(threads: number): Promise<EngineReport> {
  const engine = await probe<Omit<EngineReport, EngineApart>>("engine-probe.js", [String(threads)]);
  const apart = {
    webgpu: await tryDevice("webgpu"),
    cuda: await tryCuda(),
    openvino: await probe<EngineReport["openvino"]>("openvino-probe.js"),
  };
  if ("error" in engine) return { pictures: engine, runtime: engine, speed: engine, ...apart };
  return { ...engine, ...apart };
}

async function tryCuda(): Promise<Attempt<CudaReport>> {
  const facts = await probe<CudaFacts>("cuda-probe.js");
  return "error" in facts || !mayUseCuda(facts) ? facts : { ...facts, session: await tryDevice("cuda") };
}

function probe<T>(name: string, args: readonly string[] = []): Promise<Attempt<T>> {
  return runProgram<T>(new URL(`./${name}`, import.meta.url), args);
}
