import { encodeOnnx } from "../../graph/onnx.ts";
import { zeros } from "../../tensor/tensor.ts";
import type { Pointer } from "../../system/native.ts";
import type { Ort } from "./api.ts";
import { bind } from "./binding.ts";
import { endSession, sessionOf, type ProviderSettings } from "./options.ts";
import { allocatedValue, hostValue, memoryInfo, type OrtValue } from "./values.ts";

/**
 * A device: its allocator, and copies to it and from it.
 *
 * An allocator belongs to a session and lives no longer. The smallest of sessions is made for it when somebody first needs the device, and
 * released after the last one has left: by then all that was allocated has been freed.
 */
export interface Device {
  readonly ort: Ort;
  /** Of the host's arrays. */
  readonly hostMemory: Pointer;
  /** The device's own memory. */
  readonly memory: Pointer;
  /** @throws what making a session throws */
  readonly enter: () => Visit;
}

/** Somebody's use of a device. */
export interface Visit {
  readonly allocator: Pointer;
  /** Copies flat float32 values to others of the same sizes, between the host's memory and the device's. */
  copy(from: readonly OrtValue[], to: readonly OrtValue[]): Promise<void>;
  /** To be called once. */
  readonly leave: () => void;
}

export interface DeviceMemorySettings {
  /** ONNX Runtime's name for it. */
  readonly name: string;
  /** Whether its addresses can be moved on by bytes. */
  readonly canSlice: boolean;
  /** What copies to it and from it. Absent: the library, if its provider has told it how. */
  readonly copiesBy?: "session";
}

interface Root {
  readonly session: Pointer;
  readonly allocator: Pointer;
  readonly copiesBySession: boolean;
}

export function createDevice(
  { ort, hostMemory }: Pick<Device, "ort" | "hostMemory">,
  { name, copiesBy }: DeviceMemorySettings,
  { explain, ...provider }: ProviderSettings & { readonly explain?: (error: unknown) => unknown },
): Device {
  const memory = memoryInfo(ort, name);
  let root: Root | undefined;
  let users = 0;
  return {
    ort,
    hostMemory,
    memory,
    enter() {
      try {
        root ??= openRoot({ ort, hostMemory, memory }, provider, copiesBy);
      } catch (error) {
        throw explain?.(error) ?? error;
      }
      users++;
      const { session, allocator, copiesBySession } = root;
      return {
        allocator,
        async copy(from, to) {
          if (from.length === 0) return;
          if (!copiesBySession) await copyTensors(ort, from, to);
          else for (const [i, source] of from.entries()) await copyBySession(ort, session, source, to[i]);
        },
        leave() {
          if (--users > 0 || root === undefined) return;
          ort.call("ReleaseAllocator", root.allocator);
          endSession(ort, root.session);
          root = undefined;
        },
      };
    },
  };
}

function openRoot(
  { ort, hostMemory, memory }: Omit<Device, "enter">,
  provider: ProviderSettings,
  copiesBy: DeviceMemorySettings["copiesBy"],
): Root {
  const session = sessionOf(ort, IDENTITY, { threads: 1 }, provider);
  try {
    const allocator = ort.make("CreateAllocator", session, memory);
    return { session, allocator, copiesBySession: copiesBy === "session" || !canCopy(ort, hostMemory, allocator) };
  } catch (error) {
    endSession(ort, session);
    throw error;
  }
}

/** Whether the provider has told the library how to copy to its memory: tried with one number. */
function canCopy(ort: Ort, hostMemory: Pointer, allocator: Pointer): boolean {
  const number = zeros([1]);
  const [host, device] = [hostValue(ort, hostMemory, number), allocatedValue(ort, allocator, [1], "float32")];
  try {
    ort.call("CopyTensors", ort.environment, pointersOf([host]), pointersOf([device]), null, 1);
    return true;
  } catch {
    return false;
  } finally {
    host.release();
    device.release();
  }
}

/** y = x, of any length. A reshape, for the optimizer removes an identity. */
const IDENTITY = encodeOnnx({
  nodes: [{ type: "Reshape", domain: "", inputs: ["x", "shape"], outputs: ["y"], attributes: {} }],
  inputs: [{ name: "x", dtype: "float32", shape: ["n"] }],
  outputs: [{ name: "y", dtype: "float32", shape: ["n"] }],
  initializers: [{ name: "shape", tensor: { dtype: "int64", shape: [1], data: BigInt64Array.of(-1n) } }],
});

/** In memory that does not move. */
function pointersOf(values: readonly OrtValue[]): BigUint64Array {
  const pointers = new BigUint64Array(new ArrayBuffer(values.length * BigUint64Array.BYTES_PER_ELEMENT));
  values.forEach(({ pointer }, i) => (pointers[i] = pointer));
  return pointers;
}

/** What native code reads in another thread must not move nor be collected meanwhile. */
const pinned = new Set<BigUint64Array>();

async function copyTensors(ort: Ort, from: readonly OrtValue[], to: readonly OrtValue[]): Promise<void> {
  const [sources, targets] = [pointersOf(from), pointersOf(to)];
  pinned.add(sources).add(targets);
  try {
    await ort.callAsync("CopyTensors", ort.environment, sources, targets, null, from.length);
  } finally {
    pinned.delete(sources);
    pinned.delete(targets);
  }
}

async function copyBySession(ort: Ort, session: Pointer, from: OrtValue, to: OrtValue): Promise<void> {
  const binding = bind(ort, session);
  try {
    binding.input("x", from);
    binding.output("y", to);
    await binding.run();
  } finally {
    binding.release();
  }
}
