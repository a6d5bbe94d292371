import type { Pointer } from "../../system/native.ts";
import { sizeOf, type Tensor } from "../../tensor/tensor.ts";
import type { Resource } from "../resources.ts";
import type { OpenvinoApi, Port } from "./api.ts";

/** Graphs on OpenVINO, with inputs and outputs in the host's own arrays. */

export interface OpenvinoOptions {
  readonly threads: number;
  /** "bfloat16" is for processors that compute in it; others would widen every operand. */
  readonly precision?: "float32" | "bfloat16";
  /** OpenVINO's name: CPU, GPU, NPU. */
  readonly device?: string;
  /** A folder of compiled models, which this process trusts as it trusts code; without one every session compiles anew. */
  readonly cache?: string;
}

/** A model that the encoder wrote, and the names of what it takes and gives, in its order. */
export interface NamedModel {
  readonly onnx: Uint8Array;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

export interface OpenvinoSession extends Resource {
  /**
   * Says where inputs and outputs lie, by name, from the next run on; what is not named stays where it is. An array may be input and
   * output at once where each element only depends on its own. Its elements are read in each run, so a small feed can be written where
   * it lies.
   * @throws Error on another number of elements
   */
  bind(tensors: Readonly<Record<string, Tensor>>): void;
  /** Runs, one run at a time, off the main thread. @throws what the signal was aborted with */
  run(signal?: AbortSignal): Promise<void>;
}

/** @throws Error in OpenVINO's words when it cannot run the graph */
export async function openSession(
  api: OpenvinoApi,
  { onnx, inputs, outputs }: NamedModel,
  options: OpenvinoOptions,
): Promise<OpenvinoSession> {
  const compiled = await compileModel(api, onnx, options);
  let ports: Map<string, Port>;
  let request: Pointer;
  try {
    ports = new Map([...named(inputs, api.ports(compiled, "input")), ...named(outputs, api.ports(compiled, "output"))]);
    request = api.createRequest(compiled);
  } catch (error) {
    api.freeCompiledModel(compiled);
    throw error;
  }
  /** What is bound; it keeps the arrays alive. */
  const bound = new Map<string, { readonly handle: Pointer; readonly tensor: Tensor }>();
  let running: Promise<boolean> | undefined;

  return {
    bind(tensors) {
      for (const [name, tensor] of Object.entries(tensors)) {
        const port = ports.get(name);
        if (port === undefined) throw new Error(`the model has no input or output ${name}`);
        const before = bound.get(name);
        if (before?.tensor.data === tensor.data) continue;
        if (tensor.data.length !== sizeOf(port.shape))
          throw new Error(`${name}: expected [${port.shape.join(", ")}], got ${tensor.data.length} elements`);
        const handle = api.createTensor(port, tensor.data);
        bound.set(name, { handle, tensor });
        api.setTensor(request, port, handle);
        if (before !== undefined) api.freeTensor(before.handle);
      }
    },
    async run(signal) {
      signal?.throwIfAborted();
      if (running !== undefined) throw new Error("a session runs once at a time");
      for (const name of ports.keys()) if (!bound.has(name)) throw new Error(`${name} is not bound`);
      const cancel = (): void => api.cancel(request);
      running = api.infer(request);
      signal?.addEventListener("abort", cancel, { once: true });
      try {
        if (!(await running)) signal?.throwIfAborted();
      } finally {
        signal?.removeEventListener("abort", cancel);
        running = undefined;
      }
    },
    async release() {
      await running?.catch(() => undefined); // whoever runs it learns of its failure
      api.freeRequest(request);
      for (const { handle } of bound.values()) api.freeTensor(handle);
      bound.clear();
      ports.clear();
      api.freeCompiledModel(compiled);
    },
  };
}

async function compileModel(api: OpenvinoApi, onnx: Uint8Array, options: OpenvinoOptions): Promise<Pointer> {
  const { device = "CPU" } = options;
  const core = coreFor(api, options);
  const model = api.readModel(core, onnx);
  try {
    return await api.compileModel(core, model, device);
  } finally {
    api.freeModel(model);
  }
}

/** Cores live as long as the process: each is a few settings, and there are as many as tasks differ in them. */
const cores = new WeakMap<OpenvinoApi, Map<string, Pointer>>();

function coreFor(api: OpenvinoApi, options: OpenvinoOptions): Pointer {
  const known = cores.get(api) ?? new Map<string, Pointer>();
  cores.set(api, known);
  const { device = "CPU" } = options;
  const properties = propertiesOf(options);
  const key = JSON.stringify([device, properties]);
  const before = known.get(key);
  if (before !== undefined) return before;
  const core = api.createCore();
  try {
    for (const [name, value] of Object.entries(properties)) api.setProperty(core, device, name, value);
  } catch (error) {
    api.freeCore(core);
    throw error;
  }
  known.set(key, core);
  return core;
}

/** openvino/runtime/properties.hpp, and openvino/runtime/intel_cpu/properties.hpp for those of CPUs. */
function propertiesOf({
  threads,
  precision = "float32",
  device = "CPU",
  cache,
}: OpenvinoOptions): Record<string, string> {
  return {
    INFERENCE_PRECISION_HINT: precision === "float32" ? "f32" : "bf16",
    NUM_STREAMS: "1",
    ...(cache !== undefined && { CACHE_DIR: cache }),
    ...(device === "CPU" && {
      INFERENCE_NUM_THREADS: String(threads),
      // threads that are pinned to cores stay there when another program, or another session of this one, works on the same
      ENABLE_CPU_PINNING: "NO",
      CPU_DENORMALS_OPTIMIZATION: "YES",
    }),
  };
}

function named(names: readonly string[], ports: readonly Port[]): [string, Port][] {
  if (names.length !== ports.length) throw new Error(`${names.length} names for ${ports.length} inputs or outputs`);
  return names.map((name, i) => [name, ports[i]]);
}
