import type { Pointer } from "../../system/native.ts";
import type { HostTensor, Shape } from "../../tensor/tensor.ts";
import type { Ort } from "./api.ts";

/** OrtValues: tensors as ONNX Runtime knows them. */
export interface OrtValue {
  readonly pointer: Pointer;
  release(): void;
}

/** ONNXTensorElementDataType. */
export const ELEMENT_TYPES = { float32: 1, int32: 6, float16: 10 } as const satisfies Record<
  HostTensor["dtype"],
  number
>;

/** OrtAllocatorType and OrtMemType. */
const [DEVICE_ALLOCATOR, DEFAULT_MEMORY] = [0, 0];

/** A place where values can be, by ONNX Runtime's name for it: "Cpu", "Cuda", "WebGPU_Buf". It lives as long as the process. */
export function memoryInfo(ort: Ort, name: string): Pointer {
  return ort.make("CreateMemoryInfo", name, DEVICE_ALLOCATOR, 0, DEFAULT_MEMORY);
}

/** A host tensor, where it is. Whoever uses the value holds on to the tensor: the value does not keep its array from being collected. */
export function hostValue(ort: Ort, memory: Pointer, { data, shape, dtype }: HostTensor): OrtValue {
  // an array of less than 64 bytes moves with V8's heap until somebody has asked for its buffer
  const { byteLength } = data.buffer.byteLength > 0 ? data : { byteLength: 0 };
  const args = [dimensions(shape), shape.length, ELEMENT_TYPES[dtype]] as const;
  return owned(ort, ort.make("CreateTensorWithDataAsOrtValue", memory, data, byteLength, ...args));
}

/** A value whose memory is taken from an allocator. */
export function allocatedValue(ort: Ort, allocator: Pointer, shape: Shape, dtype: HostTensor["dtype"]): OrtValue {
  const args = [dimensions(shape), shape.length, ELEMENT_TYPES[dtype]] as const;
  return owned(ort, ort.make("CreateTensorAsOrtValue", allocator, ...args));
}

/** A value over a stretch of another's memory, from the given address on; it must not outlive the other. */
export function valueAt(ort: Ort, memory: Pointer, address: Pointer, { data, shape, dtype }: HostTensor): OrtValue {
  const args = [dimensions(shape), shape.length, ELEMENT_TYPES[dtype]] as const;
  return owned(ort, ort.make("CreateTensorWithDataAsOrtValue", memory, address, data.byteLength, ...args));
}

/** Where a value's elements are, in its memory's own terms. */
export function addressOf(ort: Ort, { pointer }: OrtValue): Pointer {
  return ort.make("GetTensorMutableData", pointer);
}

function owned(ort: Ort, pointer: Pointer): OrtValue {
  return { pointer, release: () => ort.call("ReleaseValue", pointer) };
}

function dimensions(shape: Shape): BigInt64Array {
  return BigInt64Array.from(shape, BigInt);
}
