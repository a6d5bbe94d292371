import type { Pointer } from "../../system/native.ts";
import { portNames } from "../../graph/onnx-ports.ts";
import { sizeOf, type HostTensor } from "../../tensor/tensor.ts";
import { Stopped, type Session } from "../backends/backend.ts";
import { untilStopped } from "../stopping.ts";
import type { OpenvinoApi, Port } from "./api.ts";

export interface OpenvinoOptions {
  readonly threads: number;
  /** "bfloat16" is for processors that compute in it; others would compute in float32 and not say so. */
  readonly precision: "float32" | "bfloat16";
  /** A folder of compiled models, which this process trusts as it trusts code; without one every session compiles anew. */
  readonly cache?: string | undefined;
}

/** What compiles and runs. Others (GPU, NPU) have not been tried. */
export const DEVICE = "CPU";

/**
 * A {@link Session} on OpenVINO, with inputs and outputs in the host's own arrays.
 * @throws Error in OpenVINO's words when it cannot run the model
 */
export async function openSession(api: OpenvinoApi, model: Uint8Array, options: OpenvinoOptions): Promise<Session> {
  const compiled = await compileModel(api, model, options);
  let sides: { readonly input: Map<string, Slot>; readonly output: Map<string, Slot> };
  let request: Pointer;
  try {
    const { inputs, outputs } = portNames(model);
    sides = {
      input: slots(inputs, api.ports(compiled, "input")),
      output: slots(outputs, api.ports(compiled, "output")),
    };
    request = api.createRequest(compiled);
  } catch (error) {
    api.freeCompiledModel(compiled);
    throw error;
  }
  let running: Promise<boolean> | undefined;
  let isReleased = false;

  const place = (side: "input" | "output", name: string, tensor: HostTensor): void => {
    if (isReleased) throw new Error("the session was released");
    const slot = sides[side].get(name);
    if (slot === undefined) throw new Error(`the model has no ${side} ${name}`);
    const { port, bound } = slot;
    if (bound?.tensor.data === tensor.data) return;
    if (tensor.data.length !== sizeOf(port.shape))
      throw new Error(`${name}: expected [${port.shape.join(", ")}], got ${tensor.data.length} elements`);
    const handle = api.createTensor(port, tensor.data);
    slot.bound = { handle, tensor };
    api.setTensor(request, port, handle);
    if (bound !== undefined) api.freeTensor(bound.handle);
  };
  const all = () => [...sides.input, ...sides.output];

  return {
    input: (name, tensor) => place("input", name, tensor),
    output: (name, tensor) => place("output", name, tensor),
    async run(stop) {
      if (isReleased) throw new Error("the session was released");
      if (running !== undefined) throw new Error("a session runs once at a time");
      for (const [name, { bound }] of all()) if (bound === undefined) throw new Error(`${name} is not bound`);
      if (stop?.aborted === true) throw new Stopped();
      running = api.infer(request);
      try {
        if (!(await untilStopped(running, stop, () => api.cancel(request)))) throw new Stopped();
      } finally {
        running = undefined;
      }
    },
    async release() {
      if (isReleased) return;
      isReleased = true;
      await running?.catch(() => undefined); // whoever runs it learns of its failure
      api.freeRequest(request);
      for (const [, { bound }] of all()) if (bound !== undefined) api.freeTensor(bound.handle);
      for (const side of Object.values(sides)) side.clear();
      api.freeCompiledModel(compiled);
    },
  };
}

/** An input or an output, and what is bound to it, which keeps the array alive. */
interface Slot {
  readonly port: Port;
  bound?: { readonly handle: Pointer; readonly tensor: HostTensor };
}

function slots(names: readonly string[], ports: readonly Port[]): Map<string, Slot> {
  if (names.length !== ports.length) throw new Error(`${names.length} names for ${ports.length} inputs or outputs`);
  return new Map(names.map((name, i) => [name, { port: ports[i] }]));
}

async function compileModel(api: OpenvinoApi, onnx: Uint8Array, options: OpenvinoOptions): Promise<Pointer> {
  const core = coreFor(api, options);
  const model = api.readModel(core, onnx);
  try {
    return await api.compileModel(core, model, DEVICE);
  } finally {
    api.freeModel(model);
  }
}

/** Cores live as long as the process: each is a few settings, and there are as many as tasks differ in them. */
const cores = new WeakMap<OpenvinoApi, Map<string, Pointer>>();

function coreFor(api: OpenvinoApi, options: OpenvinoOptions): Pointer {
  const known = cores.get(api) ?? new Map<string, Pointer>();
  cores.set(api, known);
  const properties = propertiesOf(options);
  const key = JSON.stringify(properties);
  const before = known.get(key);
  if (before !== undefined) return before;
  const core = api.createCore();
  try {
    for (const [name, value] of Object.entries(properties)) api.setProperty(core, DEVICE, name, value);
  } catch (error) {
    api.freeCore(core);
    throw error;
  }
  known.set(key, core);
  return core;
}

/** openvino/runtime/properties.hpp, and openvino/runtime/intel_cpu/properties.hpp for those of CPUs. */
function propertiesOf({ threads, precision, cache }: OpenvinoOptions): Record<string, string> {
  return {
    INFERENCE_PRECISION_HINT: precision === "float32" ? "f32" : "bf16",
    NUM_STREAMS: "1",
    ...(cache !== undefined && { CACHE_DIR: cache }),
    INFERENCE_NUM_THREADS: String(threads),
    // threads that are pinned to cores stay there when another program, or another session of this one, works on the same
    ENABLE_CPU_PINNING: "NO",
    CPU_DENORMALS_OPTIMIZATION: "YES",
  };
}
