import { ffi, loadLibrary, type Pointer } from "../../system/native.ts";

/**
 * The slice of OpenVINO's C API that sessions need (openvino/c/*.h of 2026.4). What it makes is freed by who asked for it, with the
 * function named `free` of its kind. Calls that fail throw what the library says.
 */
export interface OpenvinoApi {
  /** As "2026.4.1". */
  readonly version: string;
  createCore(): Pointer;
  freeCore(core: Pointer): void;
  /** A property of every model that the core compiles afterwards. @param key as in openvino/runtime/properties.hpp: INFERENCE_NUM_THREADS */
  setProperty(core: Pointer, device: string, key: string, value: string): void;
  /** As "CPU", "GPU.0". */
  property(core: Pointer, device: string, key: string): string;
  readModel(core: Pointer, onnx: Uint8Array): Pointer;
  freeModel(model: Pointer): void;
  /** Off the main thread, for it takes seconds. */
  compileModel(core: Pointer, model: Pointer, device: string): Promise<Pointer>;
  freeCompiledModel(compiled: Pointer): void;
  /** What the model takes or gives, in the model's order. */
  ports(compiled: Pointer, side: Side): Port[];
  createRequest(compiled: Pointer): Pointer;
  freeRequest(request: Pointer): void;
  /** A tensor over the host's own memory, which whoever holds the tensor has to keep alive, of the type and shape that a port has. */
  createTensor(port: Port, data: ArrayBufferView): Pointer;
  freeTensor(tensor: Pointer): void;
  setTensor(request: Pointer, port: Port, tensor: Pointer): void;
  /** Runs off the main thread. @returns whether the run came to its end and was not cancelled */
  infer(request: Pointer): Promise<boolean>;
  /** Ends a run before the next node of its graph. */
  cancel(request: Pointer): void;
}

export type Side = "input" | "output";

/** One of a model's inputs or outputs. By its place, for outputs that are one and the same value share all their names. */
export interface Port {
  readonly side: Side;
  readonly index: number;
  readonly shape: readonly number[];
  /** The library's number for the elements' type, which differs from release to release: 2025.0 has 5 for float32, 2026.4 has 4. */
  readonly elementType: number;
}

/** openvino/c/ov_common.h: ov_status_e */
const INFER_CANCELLED = -13;

type Argument = Pointer | string | number | ArrayBufferView | null | unknown[] | { rank: number; dims: unknown };
type Call = (...args: readonly Argument[]) => number;

/** @param path of libopenvino_c @throws Error in the system's words when it cannot be loaded */
export function openApi(path: string): OpenvinoApi {
  const koffi = ffi();
  const library = loadLibrary(path);
  const handle = koffi.pointer("void");
  const made = koffi.out(koffi.pointer(handle));
  const count = koffi.out(koffi.pointer("size_t"));
  const shape = koffi.struct({ rank: "int64_t", dims: "int64_t *" });
  type Spec = Parameters<typeof koffi.out>[0];

  const lastError = library.func("const char *ov_get_last_err_msg()") as () => string | null;
  const statusText = library.func("const char *ov_get_error_info(int)") as (status: number) => string;
  const failure = (status: number): Error => new Error(`OpenVINO: ${firstLines(lastError() ?? statusText(status))}`);
  const check = (status: number): void => {
    if (status !== 0) throw failure(status);
  };
  const bare = (name: string, types: Spec[]) => library.func(name, "int", types) as unknown as Call;
  const call = (name: string, ...types: Spec[]) => {
    const of = bare(name, types);
    return (...args: readonly Argument[]): void => check(of(...args));
  };
  /** A function whose last argument is where it writes what it makes. */
  const making = (name: string, ...types: Spec[]) => {
    const of = call(name, ...types, made);
    return (...args: readonly Argument[]): Pointer => {
      const out: [Pointer | null] = [null];
      of(...args, out);
      return out[0] ?? 0n;
    };
  };
  const freeing = (name: string) => library.func(name, "void", [handle]) as (of: Pointer) => void;
  /** The status of a call that another thread makes. */
  const inThread = (name: string, ...types: Spec[]) => {
    const of = library.func(name, "int", types);
    return (...args: readonly Argument[]): Promise<number> =>
      new Promise((resolve, reject) => {
        const done = (error: Error | null, status: number): void => (error ? reject(error) : resolve(status));
        of.async(...args, done);
      });
  };

  const text = making("ov_core_get_property", handle, "const char *", "const char *");
  const freeText = freeing("ov_free");
  const setProperty = library.func("int ov_core_set_property(void *, const char *, ...)") as Call;
  const readModel = making("ov_core_read_model_from_memory_buffer", handle, handle, "size_t", handle);
  // declared without its properties, which would make it variadic, and such a function cannot be called in another thread: the core has them
  const compile = inThread("ov_core_compile_model", handle, handle, "const char *", "size_t", made);
  const portAt = {
    input: making("ov_compiled_model_input_by_index", handle, "size_t"),
    output: making("ov_compiled_model_output_by_index", handle, "size_t"),
  };
  const counts = {
    input: call("ov_compiled_model_inputs_size", handle, count),
    output: call("ov_compiled_model_outputs_size", handle, count),
  };
  const portShape = call("ov_const_port_get_shape", handle, koffi.out(koffi.pointer(shape)));
  const freeShape = library.func("ov_shape_free", "int", [koffi.pointer(shape)]) as (of: object) => number;
  const portType = call("ov_port_get_element_type", handle, koffi.out(koffi.pointer("int")));
  const createTensor = making("ov_tensor_create_from_host_ptr", "int", shape, handle);
  // a run that was started can be cancelled, one that was asked for by ov_infer_request_infer cannot
  const start = call("ov_infer_request_start_async", handle);
  const wait = inThread("ov_infer_request_wait", handle);
  const createCore = making("ov_core_create");
  const createRequest = making("ov_compiled_model_create_infer_request", handle);
  const freePort = freeing("ov_output_const_port_free");
  const setTensor = {
    input: call("ov_infer_request_set_input_tensor_by_index", handle, "size_t", handle),
    output: call("ov_infer_request_set_output_tensor_by_index", handle, "size_t", handle),
  };
  const cancel = call("ov_infer_request_cancel", handle);

  return {
    version: versionOf(),
    createCore: () => createCore(),
    freeCore: freeing("ov_core_free"),
    setProperty: (core, device, key, value) =>
      check(setProperty(core, device, "const char *", key, "const char *", value)),
    property(core, device, key) {
      const address = text(core, device, key);
      const value = koffi.decode.string(address);
      freeText(address);
      return value;
    },
    readModel: (core, onnx) => readModel(core, onnx, onnx.byteLength, null),
    freeModel: freeing("ov_model_free"),
    async compileModel(core, model, device) {
      const out: [Pointer | null] = [null];
      check(await compile(core, model, device, 0, out));
      return out[0] ?? 0n;
    },
    freeCompiledModel: freeing("ov_compiled_model_free"),
    ports(compiled, side) {
      const out: [number] = [0];
      counts[side](compiled, out);
      return Array.from({ length: out[0] }, (_, index) => {
        const port = portAt[side](compiled, index);
        const described = { side, index, shape: shapeOf(port), elementType: typeOf(port) };
        freePort(port);
        return described;
      });
    },
    createRequest: (compiled) => createRequest(compiled),
    freeRequest: freeing("ov_infer_request_free"),
    createTensor({ elementType, shape: sizes }, { buffer, byteOffset, byteLength }) {
      // a small array lies on V8's heap, and may move, until its buffer is asked for
      const bytes = new Uint8Array(buffer, byteOffset, byteLength);
      return createTensor(elementType, { rank: sizes.length, dims: BigInt64Array.from(sizes, BigInt) }, bytes);
    },
    freeTensor: freeing("ov_tensor_free"),
    setTensor: (request, { side, index }, tensor) => setTensor[side](request, index, tensor),
    async infer(request) {
      start(request);
      const status = await wait(request);
      if (status === INFER_CANCELLED) return false;
      check(status);
      return true;
    },
    cancel: (request) => cancel(request),
  };

  function shapeOf(port: Pointer): number[] {
    const out: [{ rank: number; dims: Pointer }] = [{ rank: 0, dims: 0n }];
    portShape(port, out);
    const [{ rank, dims }] = out;
    const sizes = rank === 0 ? [] : Array.from(koffi.decode(dims, "int64_t", rank) as ArrayLike<bigint>, Number);
    freeShape(out[0]);
    return sizes;
  }

  function typeOf(port: Pointer): number {
    const out: [number] = [0];
    portType(port, out);
    return out[0];
  }

  function versionOf(): string {
    const version = koffi.struct({ buildNumber: "const char *", description: "const char *" });
    const get = library.func("ov_get_openvino_version", "int", [koffi.out(koffi.pointer(version))]) as Call;
    const out: [{ buildNumber: string }] = [{ buildNumber: "" }];
    check(get(out));
    return /^\d+(\.\d+)*/.exec(out[0].buildNumber)?.[0] ?? out[0].buildNumber;
  }
}

/** The library's errors begin with files and lines of its own source: what went wrong stands in the last lines. */
function firstLines(message: string): string {
  const lines = message.split("\n").map((line) => line.trim());
  return lines.filter((line) => line !== "" && !/^(Exception from|Check ')/.test(line)).join("; ") || lines.join("; ");
}
