import { sameShape, type HostTensor, type Tensor } from "../../tensor/tensor.ts";
import type { Device, Visit } from "./device.ts";
import { words, type DeviceMemory, type Held } from "./memory.ts";
import { addressOf, allocatedValue, hostValue, valueAt, type OrtValue } from "./values.ts";

/** A buffer of a session's own. */
interface Staged {
  readonly value: OrtValue;
}

/** Where a tensor is on the device. */
export interface Place {
  readonly side: "input" | "output";
  readonly name: string;
  readonly tensor: HostTensor;
  /** The same object as long as it is the same memory. */
  readonly at: Held | Staged;
  /** Whether that is a buffer of the session's own. */
  readonly isStaged: boolean;
}

/** What a session reads and writes, by name. */
export type Sides = Readonly<Record<Place["side"], ReadonlyMap<string, HostTensor>>>;

/** All that a session reads and writes, in the device's memory: what is not held there has a buffer of the session's own. */
export interface Places {
  /** Undefined where a tensor is both read and written, or is in half precision and not held. */
  of(sides: Sides): Place[] | undefined;
  /** Copies between places and arrays of their tensors' sizes. */
  copy(way: "send" | "fetch", places: readonly Place[], arrays: readonly HostTensor["data"][]): Promise<void>;
  /** Frees the session's own buffers. */
  release(): void;
}

export interface PlacesParts extends Pick<Device, "ort" | "hostMemory"> {
  readonly memory: DeviceMemory;
  /** The device's own. */
  readonly deviceMemory: Device["memory"];
  readonly visit: Visit;
}

export function createPlaces({ ort, hostMemory, memory, deviceMemory, visit }: PlacesParts): Places {
  const staging = new Map<string, Staged & { readonly tensor: HostTensor }>();

  const stage = (key: string, tensor: Tensor): Staged => {
    const known = staging.get(key);
    if (known?.tensor.dtype === tensor.dtype && sameShape(known.tensor.shape, tensor.shape)) return known;
    const made = { tensor, value: allocatedValue(ort, visit.allocator, tensor.shape, tensor.dtype) };
    staging.set(key, made);
    known?.value.release();
    return made;
  };

  return {
    of(sides) {
      const written = [...sides.output.values()].map(({ data }) => data);
      const read = new Set([...sides.input.values()].map(({ data }) => data));
      if (new Set(written).size < written.length || written.some((data) => read.has(data))) return undefined;
      const places: Place[] = [];
      for (const side of ["input", "output"] as const)
        for (const [name, tensor] of sides[side]) {
          const held = memory.find(tensor);
          if (held !== undefined) places.push({ side, name, tensor, at: held, isStaged: false });
          else if (tensor.dtype === "float16") return undefined;
          else places.push({ side, name, tensor, at: stage(`${side} ${name}`, tensor), isStaged: true });
        }
      return places;
    },
    async copy(way, places, arrays) {
      const hosts: OrtValue[] = [];
      const devices: OrtValue[] = [];
      try {
        for (const [i, { at, tensor }] of places.entries()) {
          hosts.push(hostValue(ort, hostMemory, words(arrays[i])));
          devices.push(valueAt(ort, deviceMemory, addressOf(ort, at.value), words(tensor.data)));
        }
        await (way === "send" ? visit.copy(hosts, devices) : visit.copy(devices, hosts));
      } finally {
        for (const value of [...hosts, ...devices]) value.release();
      }
    },
    release() {
      for (const { value } of staging.values()) value.release();
      staging.clear();
    },
  };
}
