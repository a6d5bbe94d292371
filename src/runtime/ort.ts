import { createRequire } from "node:module";
import type * as Ort from "onnxruntime-node";
import { UsageError } from "../system/errors.ts";
import { say, setting } from "../system/message.ts";
import type { Shape, Tensor } from "../tensor/tensor.ts";
import type { Device } from "./device.ts";
import { forbidTelemetry } from "./telemetry.ts";

/** The one place that loads ONNX Runtime and touches its own types. */

forbidTelemetry();
// Only a require that fails can be caught for sure: an import of CommonJS may end the process (Node 20).
const ort = createRequire(import.meta.url)("onnxruntime-node") as typeof Ort;

export interface SessionOptions {
  readonly threads: number;
  readonly device?: Device | undefined;
  /**
   * "kept" (the default) holds on to memory between runs, so that a run does not pay for fresh pages (a tenth of a training step's
   * time). "returned" gives it back to the system after each run: for graphs that run rarely, or beside others with little memory.
   */
  readonly workspace?: "kept" | "returned";
}

/** For one graph: what {@link SessionOptions} says for all of a task. */
export interface GraphOptions extends SessionOptions {
  /** Outputs that stay in the device's memory. */
  readonly onDevice?: readonly string[];
}

export type Session = Ort.InferenceSession;
export type DeviceTensor = Ort.Tensor;

/**
 * Loads an ONNX model. An arena never goes with a memory pattern, which would be planned into a second arena as large as the first.
 */
export async function createSession(
  model: Uint8Array,
  { threads, device = "cpu", workspace = "kept", onDevice = [] }: GraphOptions,
): Promise<Session> {
  const session = ort.InferenceSession.create(model, {
    executionProviders: [device],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    graphOptimizationLevel: "all",
    ...(device !== "cpu" && {
      preferredOutputLocation: Object.fromEntries(onDevice.map((name) => [name, "gpu-buffer" as const])),
    }),
    enableCpuMemArena: workspace === "kept" || device !== "cpu",
    enableMemPattern: workspace === "returned" && device === "cpu",
    logSeverityLevel: 3,
    enableProfiling: process.env["RPO_PROFILE"] !== undefined,
    profileFilePrefix: process.env["RPO_PROFILE"] ?? "",
    extra: {
      // A session's threads go on waiting busily after a run, against whatever runs next: a fifth of a training step's time.
      session: { set_denormal_as_zero: "1", force_spinning_stop: "1" },
      // on WebGPU the fused op leaves out mean and deviation, which gradients need
      ...(device !== "cpu" && { optimization: { disable_specified_optimizers: "SkipLayerNormFusion" } }),
    },
  });
  return device === "cpu" ? session : session.catch(explainMissingAdapter);
}

/** @throws UsageError when the session could not be made because there is no device */
function explainMissingAdapter(error: unknown): never {
  if (error instanceof Error && error.message.includes("Failed to get a WebGPU adapter"))
    throw new UsageError(
      say`${setting("device", "webgpu")}: no GPU was found; on Linux WebGPU needs a Vulkan driver (vulkaninfo shows whether there is one); ${setting("device", "cpu")} works everywhere`,
    );
  throw error;
}

/** Frees a session. */
export async function releaseSession(session: Session): Promise<void> {
  if (process.env["RPO_PROFILE"] !== undefined) session.endProfiling();
  await session.release();
}

/** Hands a host tensor to ONNX Runtime without copying it. */
export function toOrt(tensor: Tensor): Ort.Tensor {
  return tensor.dtype === "float32"
    ? new ort.Tensor("float32", tensor.data, tensor.shape)
    : new ort.Tensor("int32", tensor.data, tensor.shape);
}

/** The same elements in the device's memory, in another shape; they belong to the tensor that is given. */
export function viewOnDevice({ gpuBuffer }: DeviceTensor, shape: Shape): DeviceTensor {
  return ort.Tensor.fromGpuBuffer(gpuBuffer, { dataType: "float32", dims: shape });
}

/** The host tensor in ONNX Runtime's result. */
export function fromOrt(tensor: Ort.Tensor): Tensor {
  if (tensor.data instanceof Float32Array) return { dtype: "float32", shape: tensor.dims, data: tensor.data };
  if (tensor.data instanceof Int32Array) return { dtype: "int32", shape: tensor.dims, data: tensor.data };
  throw new Error(`an output of type ${tensor.type}`);
}

/** ONNX Runtime's version. */
export const RUNTIME_VERSION: string = ort.env.versions.node ?? ort.env.versions.common;

/** What ONNX Runtime can run graphs on as it is installed; a GPU's driver may still be missing. */
export const RUNTIME_DEVICES: readonly string[] = ort
  .listSupportedBackends()
  .filter(({ bundled }) => bundled)
  .map(({ name }) => name);
