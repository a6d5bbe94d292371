import * as ort from "onnxruntime-node";
import type { Tensor } from "../tensor/tensor.ts";

/** The one place that touches ONNX Runtime's own types. */

export type Device = "cpu" | "webgpu";

export interface SessionOptions {
  readonly threads: number;
  readonly device?: Device;
  /**
   * "kept" (the default) holds on to memory between runs, so that a run does not pay for fresh pages (a tenth of a training step's
   * time). "returned" gives it back to the system after each run: for graphs that run rarely, or beside others with little memory.
   */
  readonly workspace?: "kept" | "returned";
}

export type Session = ort.InferenceSession;
export type DeviceTensor = ort.Tensor;

/**
 * Loads an ONNX model. An arena never goes with a memory pattern, which would be planned into a second arena as large as the first.
 */
export async function createSession(
  model: Uint8Array,
  { threads, device = "cpu", workspace = "kept" }: SessionOptions,
): Promise<Session> {
  return ort.InferenceSession.create(model, {
    executionProviders: [device],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    graphOptimizationLevel: "all",
    enableCpuMemArena: workspace === "kept",
    enableMemPattern: workspace === "returned",
    logSeverityLevel: 3,
    enableProfiling: process.env["RPO_PROFILE"] !== undefined,
    profileFilePrefix: process.env["RPO_PROFILE"] ?? "",
    extra: { session: { set_denormal_as_zero: "1" } },
  });
}

/** Hands a host tensor to ONNX Runtime without copying it. */
export function toOrt(tensor: Tensor): ort.Tensor {
  return tensor.dtype === "float32"
    ? new ort.Tensor("float32", tensor.data, tensor.shape)
    : new ort.Tensor("int32", tensor.data, tensor.shape);
}

/** The host tensor in ONNX Runtime's result. */
export function fromOrt(tensor: ort.Tensor): Tensor {
  if (tensor.data instanceof Float32Array) return { dtype: "float32", shape: tensor.dims, data: tensor.data };
  if (tensor.data instanceof Int32Array) return { dtype: "int32", shape: tensor.dims, data: tensor.data };
  throw new Error(`an output of type ${tensor.type}`);
}

/** ONNX Runtime's version. */
export const RUNTIME_VERSION: string = ort.env.versions.node ?? ort.env.versions.common;

/** What ONNX Runtime can run graphs on as it is installed; only the cpu is used. */
export const RUNTIME_DEVICES: readonly string[] = ort
  .listSupportedBackends()
  .filter(({ bundled }) => bundled)
  .map(({ name }) => name);
