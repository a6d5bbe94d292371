import type { Pointer } from "../../system/native.ts";
import { flatView, type HostTensor, type Tensor } from "../../tensor/tensor.ts";
import type { Memory } from "../backends/backend.ts";
import { inTurn } from "../turns.ts";
import type { Ort } from "./api.ts";
import type { Device, Visit } from "./device.ts";
import { addressOf, allocatedValue, hostValue, valueAt, type OrtValue } from "./values.ts";

/** The {@link Memory} of a device that ONNX Runtime allocates on. */
export interface DeviceMemory extends Memory {
  /** What is held of a tensor; undefined when nothing is. */
  find(tensor: HostTensor): Held | undefined;
  /** Notes that the device has computed what the host has not seen. */
  written(tensor: HostTensor): void;
}

/** A tensor in the device's memory, the same object each time that it is asked for. */
export interface Held {
  /** In the tensor's shape; it belongs to the memory. */
  readonly value: OrtValue;
  /** How often its elements were written. */
  readonly writes: number;
}

/** A stretch of the device's memory that mirrors an array of the host's. */
interface Region {
  /** The host's array. */
  readonly data: HostTensor["data"];
  readonly value: OrtValue;
  readonly visit: Visit;
  users: number;
  writes: number;
  /** Whether the device has computed what the host has not seen. */
  isNewer: boolean;
  /** Settled when what was sent has arrived. */
  arrival: Promise<void>;
  /** The region, or parts of it, in the shapes that were asked for. */
  readonly views: Map<string, Held>;
}

/** An array of the host's within a region. */
interface Stretch {
  readonly region: Region;
  readonly data: HostTensor["data"];
}

function addressIn(ort: Ort, { region, data }: Stretch): Pointer {
  return addressOf(ort, region.value) + BigInt(data.byteOffset - region.data.byteOffset);
}

/**
 * @param open the device
 * @param canSlice whether a value's address may be moved on by bytes
 */
export function createDeviceMemory(open: () => Device, canSlice: boolean): DeviceMemory {
  const regions = new Map<HostTensor["data"], Region>();
  /** Where tensors that lie within others are looked for. */
  const byBuffer = new Map<ArrayBufferLike, Set<Region>>();

  const regionOf = (data: HostTensor["data"]): Region | undefined => {
    const known = regions.get(data);
    if (known !== undefined || !canSlice) return known;
    for (const region of byBuffer.get(data.buffer) ?? []) if (isWithin(data, region.data)) return region;
    return undefined;
  };

  const take = (tensor: HostTensor): Region => {
    const { ort, enter } = open();
    const visit = enter();
    try {
      const { shape, dtype } = words(tensor.data);
      const value = allocatedValue(ort, visit.allocator, shape, dtype);
      const region: Region = {
        ...{ data: tensor.data, value, visit, users: 0, writes: 0, isNewer: false },
        arrival: Promise.resolve(),
        views: new Map(),
      };
      regions.set(tensor.data, region);
      byBuffer.set(tensor.data.buffer, (byBuffer.get(tensor.data.buffer) ?? new Set()).add(region));
      return region;
    } catch (error) {
      visit.leave();
      throw error;
    }
  };

  const drop = (region: Region): void => {
    const { data, value, views, visit } = region;
    regions.delete(data);
    const beside = byBuffer.get(data.buffer);
    beside?.delete(region);
    if (beside?.size === 0) byBuffer.delete(data.buffer);
    for (const view of views.values()) view.value.release();
    value.release();
    visit.leave();
  };

  const letGo = (tensors: Iterable<HostTensor>): void => {
    for (const tensor of tensors) {
      const region = regionOf(tensor.data);
      if (region !== undefined && --region.users === 0) drop(region);
    }
  };

  /** Counts a user of each. @returns those that were not there */
  const count = (tensors: readonly HostTensor[]): Region[] => {
    const [counted, fresh]: [HostTensor[], Region[]] = [[], []];
    try {
      for (const tensor of tensors) {
        const known = regionOf(tensor.data);
        const region = known ?? take(tensor);
        if (known === undefined) fresh.push(region);
        region.users++;
        counted.push(tensor);
      }
    } catch (error) {
      letGo(counted);
      throw error;
    }
    return fresh;
  };

  /** Copies arrays of the host's that lie in regions, in one turn. @param choose looked at when the turn has come */
  const transfer = (direction: "send" | "fetch", choose: () => readonly Stretch[]): Promise<void> =>
    inTurn(async () => {
      const moved = choose().filter(({ region }) => regions.get(region.data) === region);
      if (moved.length === 0) return;
      const { ort, memory, hostMemory } = open();
      const hosts = moved.map(({ data }) => hostValue(ort, hostMemory, words(data)));
      const devices = moved.map((stretch) => valueAt(ort, memory, addressIn(ort, stretch), words(stretch.data)));
      const [{ region: first }] = moved;
      try {
        await (direction === "send" ? first.visit.copy(hosts, devices) : first.visit.copy(devices, hosts));
        for (const { region, data } of moved) {
          if (data === region.data) region.isNewer = false;
          if (direction === "send") region.writes++;
        }
      } finally {
        for (const value of [...hosts, ...devices]) value.release();
      }
    });

  const distinct = (tensors: Iterable<HostTensor>) =>
    [...new Set([...tensors].map(({ data }) => regionOf(data)))].filter((region) => region !== undefined);

  return {
    isHost: false,
    canSlice,
    async hold(tensors) {
      const all = [...tensors].filter(isFloat);
      const fresh = count(all);
      const sent = transfer("send", () => fresh.map((region) => ({ region, data: region.data })));
      for (const region of fresh) region.arrival = sent;
      try {
        await Promise.all(distinct(all).map(({ arrival }) => arrival));
      } catch (error) {
        letGo(all);
        throw error;
      }
    },
    reserve(tensors) {
      count([...tensors].filter(isFloat));
    },
    letGo: (tensors) => letGo([...tensors].filter(isFloat)),
    fetch(tensors) {
      const all = [...tensors];
      return transfer("fetch", () =>
        distinct(all)
          .filter(({ isNewer }) => isNewer)
          .map((region) => ({ region, data: region.data })),
      );
    },
    send(tensors) {
      const all = new Set([...tensors].map(({ data }) => data));
      return transfer("send", () =>
        [...all].flatMap((data) => {
          const region = regionOf(data);
          return region === undefined ? [] : [{ region, data }];
        }),
      );
    },
    get held() {
      return regions.size;
    },
    find(tensor) {
      const region = regionOf(tensor.data);
      if (region === undefined) return undefined;
      const key = `${tensor.data.byteOffset - region.data.byteOffset}:${tensor.shape.join()}`;
      let view = region.views.get(key);
      if (view === undefined) {
        const { ort, memory } = open();
        view = {
          value: valueAt(ort, memory, addressIn(ort, { region, data: tensor.data }), tensor),
          get writes() {
            return region.writes;
          },
        };
        region.views.set(key, view);
      }
      return view;
    },
    written(tensor) {
      const region = regionOf(tensor.data);
      if (region === undefined) return;
      region.isNewer = true;
      region.writes++;
    },
  };
}

function isWithin(inner: HostTensor["data"], outer: HostTensor["data"]): boolean {
  return (
    inner.byteOffset >= outer.byteOffset && inner.byteOffset + inner.byteLength <= outer.byteOffset + outer.byteLength
  );
}

function isFloat({ dtype }: HostTensor): boolean {
  return dtype !== "int32";
}

/** An array as it is kept and copied: flat, in words of 4 bytes whatever they mean. Halves are two to a word. */
export function words(data: HostTensor["data"]): Tensor {
  if (data instanceof Int32Array) return { dtype: "int32", shape: [data.length], data };
  return flatView(
    data instanceof Float32Array ? data : new Float32Array(data.buffer, data.byteOffset, Math.ceil(data.length / 2)),
  );
}
