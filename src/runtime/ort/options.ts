import type { Pointer } from "../../system/native.ts";
import type { OpenOptions } from "../backends/backend.ts";
import { FATAL_ALONE, type Ort } from "./api.ts";

/** What runs a model's nodes, in ONNX Runtime's words. */
export interface ProviderSettings {
  /** Absent: the CPU's. */
  readonly provider?: "WebGPU" | "CUDA";
  /** The provider's own, as its documentation names them. */
  readonly options?: (wanted: OpenOptions) => Readonly<Record<string, string>>;
  /** An optimizer of graphs that is not to be used, by ONNX Runtime's name. */
  readonly withoutOptimizer?: string;
  /** Entries of every run of a session with this workspace. */
  readonly runConfig?: (wanted: OpenOptions) => Readonly<Record<string, string>>;
}

/** GraphOptimizationLevel: ORT_ENABLE_ALL. */
const ALL_OPTIMIZATIONS = 99;

const EVERY_SESSION = {
  "session.set_denormal_as_zero": "1",
  // A session's threads go on waiting busily after a run, against whatever runs next: a fifth of a training step's time.
  "session.force_spinning_stop": "1",
};

/**
 * Makes a session.
 *
 * An arena never goes with a memory pattern, which would be planned into a second arena as large as the first.
 */
export function sessionOf(ort: Ort, model: Uint8Array, options: OpenOptions, settings: ProviderSettings): Pointer {
  const made = ort.make("CreateSessionOptions");
  try {
    const workspace = settings.provider === undefined ? options.workspace : "kept";
    const isGivenBack = workspace === "returned" || workspace === "fresh";
    ort.call(isGivenBack ? "DisableCpuMemArena" : "EnableCpuMemArena", made);
    ort.call(workspace === "returned" ? "EnableMemPattern" : "DisableMemPattern", made);
    ort.call("SetIntraOpNumThreads", made, options.threads);
    ort.call("SetInterOpNumThreads", made, 1);
    ort.call("SetSessionGraphOptimizationLevel", made, ALL_OPTIMIZATIONS);
    ort.call("SetSessionLogSeverityLevel", made, FATAL_ALONE);
    for (const [key, value] of Object.entries({ ...EVERY_SESSION, ...withoutOptimizers(options, settings) }))
      ort.call("AddSessionConfigEntry", made, key, value);
    const profile = process.env["RPO_PROFILE"];
    // numbered, for the library only adds the time in seconds
    if (profile !== undefined) ort.call("EnableProfiling", made, `${profile}-${++profiled}`);
    addProvider(ort, made, settings.provider, settings.options?.(options) ?? {});
    return ort.make("CreateSessionFromArray", ort.environment, model, model.byteLength, made);
  } finally {
    ort.call("ReleaseSessionOptions", made);
  }
}

let profiled = 0;

function withoutOptimizers(
  { castsAgain }: OpenOptions,
  { withoutOptimizer }: ProviderSettings,
): Readonly<Record<string, string>> {
  const names = [
    ...(withoutOptimizer === undefined ? [] : [withoutOptimizer]),
    ...(castsAgain === true ? ["CommonSubexpressionElimination"] : []),
  ];
  return names.length === 0 ? {} : { "optimization.disable_specified_optimizers": names.join(";") };
}

function addProvider(
  ort: Ort,
  made: Pointer,
  provider: ProviderSettings["provider"],
  options: Readonly<Record<string, string>>,
): void {
  const [keys, values] = [Object.keys(options), Object.values(options)];
  if (provider === "CUDA") {
    const cuda = ort.make("CreateCUDAProviderOptions");
    try {
      ort.call("UpdateCUDAProviderOptions", cuda, keys, values, keys.length);
      ort.call("SessionOptionsAppendExecutionProvider_CUDA_V2", made, cuda);
    } finally {
      ort.call("ReleaseCUDAProviderOptions", cuda);
    }
  } else if (provider !== undefined)
    ort.call("SessionOptionsAppendExecutionProvider", made, provider, keys, values, keys.length);
}

/** Ends a session, and writes its profile where one was asked for. */
export function endSession(ort: Ort, session: Pointer): void {
  try {
    if (process.env["RPO_PROFILE"] === undefined) return;
    const allocator = ort.make("GetAllocatorWithDefaultOptions");
    ort.call("AllocatorFree", allocator, ort.make("SessionEndProfiling", session, allocator));
  } finally {
    ort.call("ReleaseSession", session);
  }
}
