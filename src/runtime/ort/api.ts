import { ffi, loadLibrary, POINTER_BYTES, type Pointer } from "../../system/native.ts";
import { forbidTelemetry } from "../telemetry.ts";

/**
 * ONNX Runtime's C API, as far as graphs need it: onnxruntime_c_api.h of version 1.23 and later.
 *
 * The library has one symbol, which leads to a table of functions. New ones are appended to it, none ever moves. A library that is too old
 * for the version asked for gives no table.
 */

const API_VERSION = 23;

/** What a function takes, in C's words. `path`: the system's characters. */
type Type = "void *" | "const char *" | "const char **" | "int" | "size_t" | "path";

interface Signature {
  /** The place in the table. */
  readonly slot: number;
  readonly takes: readonly Type[];
  /** Absent: a status, which is checked. */
  readonly gives?: "void" | "const char *";
}

const ANY = "void *";
const TEXT = "const char *";
const TEXTS = "const char **";

const SIGNATURES = {
  GetErrorMessage: { slot: 2, takes: [ANY], gives: TEXT },
  CreateEnv: { slot: 3, takes: ["int", TEXT, ANY] },
  CreateSessionFromArray: { slot: 8, takes: [ANY, ANY, "size_t", ANY, ANY] },
  CreateSessionOptions: { slot: 10, takes: [ANY] },
  EnableProfiling: { slot: 14, takes: [ANY, "path"] },
  EnableMemPattern: { slot: 16, takes: [ANY] },
  DisableMemPattern: { slot: 17, takes: [ANY] },
  EnableCpuMemArena: { slot: 18, takes: [ANY] },
  DisableCpuMemArena: { slot: 19, takes: [ANY] },
  SetSessionLogSeverityLevel: { slot: 22, takes: [ANY, "int"] },
  SetSessionGraphOptimizationLevel: { slot: 23, takes: [ANY, "int"] },
  SetIntraOpNumThreads: { slot: 24, takes: [ANY, "int"] },
  SetInterOpNumThreads: { slot: 25, takes: [ANY, "int"] },
  CreateRunOptions: { slot: 39, takes: [ANY] },
  RunOptionsSetTerminate: { slot: 46, takes: [ANY] },
  RunOptionsUnsetTerminate: { slot: 47, takes: [ANY] },
  CreateTensorAsOrtValue: { slot: 48, takes: [ANY, ANY, "size_t", "int", ANY] },
  CreateTensorWithDataAsOrtValue: { slot: 49, takes: [ANY, ANY, "size_t", ANY, "size_t", "int", ANY] },
  GetTensorMutableData: { slot: 51, takes: [ANY, ANY] },
  CreateMemoryInfo: { slot: 68, takes: [TEXT, "int", "int", "int", ANY] },
  AllocatorFree: { slot: 76, takes: [ANY, ANY] },
  GetAllocatorWithDefaultOptions: { slot: 78, takes: [ANY] },
  ReleaseStatus: { slot: 93, takes: [ANY], gives: "void" },
  ReleaseSession: { slot: 95, takes: [ANY], gives: "void" },
  ReleaseValue: { slot: 96, takes: [ANY], gives: "void" },
  ReleaseRunOptions: { slot: 97, takes: [ANY], gives: "void" },
  ReleaseSessionOptions: { slot: 100, takes: [ANY], gives: "void" },
  SessionEndProfiling: { slot: 110, takes: [ANY, ANY, ANY] },
  GetAvailableProviders: { slot: 125, takes: [ANY, ANY] },
  ReleaseAvailableProviders: { slot: 126, takes: [ANY, "int"] },
  AddSessionConfigEntry: { slot: 130, takes: [ANY, TEXT, TEXT] },
  CreateAllocator: { slot: 131, takes: [ANY, ANY, ANY] },
  ReleaseAllocator: { slot: 132, takes: [ANY], gives: "void" },
  RunWithBinding: { slot: 133, takes: [ANY, ANY, ANY] },
  CreateIoBinding: { slot: 134, takes: [ANY, ANY] },
  ReleaseIoBinding: { slot: 135, takes: [ANY], gives: "void" },
  BindInput: { slot: 136, takes: [ANY, TEXT, ANY] },
  BindOutput: { slot: 137, takes: [ANY, TEXT, ANY] },
  AddRunConfigEntry: { slot: 165, takes: [ANY, TEXT, TEXT] },
  SynchronizeBoundOutputs: { slot: 203, takes: [ANY] },
  SessionOptionsAppendExecutionProvider_CUDA_V2: { slot: 204, takes: [ANY, ANY] },
  CreateCUDAProviderOptions: { slot: 205, takes: [ANY] },
  UpdateCUDAProviderOptions: { slot: 206, takes: [ANY, TEXTS, TEXTS, "size_t"] },
  ReleaseCUDAProviderOptions: { slot: 208, takes: [ANY], gives: "void" },
  SessionOptionsAppendExecutionProvider: { slot: 216, takes: [ANY, TEXT, TEXTS, TEXTS, "size_t"] },
  CopyTensors: { slot: 386, takes: [ANY, ANY, ANY, ANY, "size_t"] },
  // of version 1.27 and later
  SessionReleaseCapturedGraph: { slot: 421, takes: [ANY, "int"] },
} as const satisfies Record<string, Signature>;

type Name = keyof typeof SIGNATURES;
type Argument = Pointer | number | string | ArrayBufferView | readonly string[] | null;

/** A loaded library with its environment, which lives as long as the process. */
export interface Ort {
  readonly version: string;
  readonly environment: Pointer;
  /** @throws Error with ONNX Runtime's message when the function's status is one */
  call(name: Name, ...args: readonly Argument[]): void;
  /** The pointer that the function writes to its last argument. */
  make(name: Name, ...args: readonly Argument[]): Pointer;
  /** {@link Ort.call} on another thread; the event loop goes on. */
  callAsync(name: Name, ...args: readonly Argument[]): Promise<void>;
}

type Native = ((...args: readonly Argument[]) => unknown) & {
  async(...args: readonly (Argument | ((error: Error | null, result: unknown) => void))[]): void;
};

const libraries = new Map<string, Ort>();

/**
 * The library at a path, loaded once.
 * @throws Error in the system's words when it cannot be loaded
 */
export function openOrt(path: string): Ort {
  const known = libraries.get(path);
  if (known !== undefined) return known;
  forbidTelemetry();
  const ort = load(path);
  libraries.set(path, ort);
  return ort;
}

/** What the library writes to stderr: what fails is told by its status. */
export const FATAL_ALONE = 4;

function load(path: string): Ort {
  const koffi = ffi();
  const entryAt = (table: Pointer, slot: number) =>
    koffi.decode(table + BigInt(slot * POINTER_BYTES), "uintptr_t") as bigint | number;
  const functionAt = (table: Pointer, slot: number, gives: string, takes: readonly string[]) =>
    koffi.decode(BigInt(entryAt(table, slot)), koffi.proto(gives, [...takes])) as Native;
  const text = (type: Type) => (type === "path" ? (process.platform === "win32" ? "const char16_t *" : TEXT) : type);

  const base = loadLibrary(path).func("void *OrtGetApiBase()")() as bigint;
  const version = functionAt(base, 1, TEXT, [])() as string;
  const table = functionAt(base, 0, ANY, ["uint32_t"])(API_VERSION) as Pointer | null;
  if (table === null) throw new Error(`ONNX Runtime ${version} at ${path} is older than 1.${API_VERSION}`);

  const natives = new Map<Name, Native>();
  const native = (name: Name): Native => {
    const known = natives.get(name);
    if (known !== undefined) return known;
    const { slot, takes, gives }: Signature = SIGNATURES[name];
    const made = functionAt(table, slot, gives ?? ANY, takes.map(text));
    natives.set(name, made);
    return made;
  };
  const check = (name: Name, result: unknown): void => {
    if ("gives" in SIGNATURES[name] || result === null) return;
    const status = result as Pointer;
    const message = native("GetErrorMessage")(status) as string;
    native("ReleaseStatus")(status);
    throw new Error(message);
  };
  const call: Ort["call"] = (name, ...args) => {
    check(name, native(name)(...args));
  };
  const make: Ort["make"] = (name, ...args) => {
    const made = new BigUint64Array(1);
    call(name, ...args, made);
    return made[0];
  };
  return {
    version,
    environment: make("CreateEnv", FATAL_ALONE, "rpo"),
    call,
    make,
    callAsync: (name, ...args) =>
      new Promise((resolve, reject) => {
        native(name).async(...args, (error, result) => {
          try {
            if (error !== null) throw error;
            check(name, result);
            resolve();
          } catch (failure) {
            reject(failure instanceof Error ? failure : new Error(String(failure)));
          }
        });
      }),
  };
}
