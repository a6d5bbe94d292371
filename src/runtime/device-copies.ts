import { encodeGraph, feedName } from "../graph/encode.ts";
import { Graph } from "../graph/graph.ts";
import { reshape } from "../graph/ops/index.ts";
import { flatView, type Float32Tensor, type Tensor } from "../tensor/tensor.ts";
import type { Device } from "./device.ts";
import { openSource, type Source } from "./device-source.ts";
import { fromOrt, toOrt, viewOnDevice, type DeviceTensor } from "./ort.ts";

/**
 * Copies of host tensors in the memory of a device that is not the CPU: weights, gradients and moments are sent there once, graphs
 * read and replace them there, and they come back when somebody wants to save them.
 *
 * A copy belongs to the tensor's elements: all tensors over the same array, in whatever shape, share it. Copies are counted: each
 * graph and optimizer holds those that it works with and lets them go, and the last one frees them.
 */

interface Copy {
  placed: Placed;
  users: number;
  /** Whether the device has computed what the host has not seen. */
  newer: boolean;
}

/** A tensor on the device, and what it came from. */
export interface Placed {
  readonly tensor: DeviceTensor;
  readonly source: Source;
}

/** By the host's array; a promise while it is being sent, so that two graphs that want the same weights send them once. */
const copies = new Map<Float32Array, Copy | Promise<Copy>>();

/** Holds tensors on the device: sends those that are not there. To be undone by {@link letGo}; where sending fails, nothing is held. */
export async function hold(tensors: Iterable<Tensor>, device: Device): Promise<void> {
  const [missing, counted]: [Float32Tensor[], Float32Tensor[]] = [[], []];
  const waiting: Promise<Copy>[] = [];
  for (const tensor of floats(tensors)) {
    const known = copies.get(tensor.data);
    if (known === undefined) missing.push(tensor);
    else if (known instanceof Promise) waiting.push(known);
    else {
      known.users++;
      counted.push(tensor);
    }
  }
  const sent = send(missing, device);
  missing.forEach(({ data }, i) => {
    const arrival = sent.then((all): Copy => ({ placed: all[i], users: 0, newer: false }));
    copies.set(data, arrival);
    arrival.then(
      (copy) => copies.set(data, copy),
      () => copies.delete(data),
    );
    waiting.push(arrival);
  });
  try {
    for (const copy of await Promise.all(waiting)) copy.users++;
  } catch (error) {
    letGo(counted);
    throw error;
  }
}

/** Undoes a {@link hold}. */
export function letGo(tensors: Iterable<Tensor>): void {
  for (const { data } of floats(tensors)) {
    const copy = here(data);
    if (copy !== undefined && --copy.users === 0) drop(data, copy);
  }
}

/** A tensor's copy, in the tensor's shape; undefined when it is not on the device. */
export function copyOf(tensor: Tensor): DeviceTensor | undefined {
  const copy = tensor.dtype === "float32" ? here(tensor.data) : undefined;
  return copy && viewOnDevice(copy.placed.tensor, tensor.shape);
}

/** Makes what the device computed a tensor's copy, in place of the one that there may be. One that nobody holds is held once. */
export function replaceCopy({ data }: Float32Tensor, placed: Placed): void {
  const copy = here(data);
  if (copy === undefined) {
    copies.set(data, { placed, users: 1, newer: true });
  } else {
    dispose(copy.placed);
    Object.assign(copy, { placed, newer: true });
  }
}

/** Brings what the device has computed into the host's arrays. */
export async function fetchCopies(tensors: Iterable<Float32Tensor>, device: Device): Promise<void> {
  const newer = [...tensors].filter(({ data }) => here(data)?.newer === true);
  await eachBySize(newer, device, false, async ({ data }, move) => {
    const copy = here(data);
    if (copy === undefined) return;
    const { tensor } = await move(viewOnDevice(copy.placed.tensor, [data.length]));
    data.set(fromOrt(tensor).data);
    copy.newer = false;
  });
}

/** Sends what the host has changed in tensors that are held. */
export async function sendAgain(tensors: Iterable<Float32Tensor>, device: Device): Promise<void> {
  const held = [...tensors].filter(({ data }) => here(data) !== undefined);
  const sent = await send(held, device);
  held.forEach((tensor, i) => {
    replaceCopy(tensor, sent[i]);
    const copy = here(tensor.data);
    if (copy !== undefined) copy.newer = false;
  });
}

/** How many copies there are: none when everything was released. */
export function copiesHeld(): number {
  return copies.size;
}

function here(data: Float32Array): Copy | undefined {
  const copy = copies.get(data);
  return copy instanceof Promise ? undefined : copy;
}

function drop(data: Float32Array, { placed }: Copy): void {
  copies.delete(data);
  dispose(placed);
}

function dispose({ tensor, source }: Placed): void {
  source.dispose(tensor);
}

function* floats(tensors: Iterable<Tensor>): Generator<Float32Tensor> {
  for (const tensor of tensors) if (tensor.dtype === "float32") yield tensor;
}

function send(tensors: readonly Float32Tensor[], device: Device): Promise<Placed[]> {
  return eachBySize(tensors, device, true, ({ data }, move) => move(toOrt(flatView(data))));
}

type Move = (tensor: DeviceTensor) => Promise<Placed>;

/**
 * The results of `work` for each tensor, in their order. Only a session moves tensors to a device and back, as its inputs and outputs, so
 * `move` runs a graph that returns its input; there is one for each size.
 */
async function eachBySize<R>(
  tensors: readonly Float32Tensor[],
  device: Device,
  toDevice: boolean,
  work: (tensor: Float32Tensor, move: Move) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  for (const size of new Set(tensors.map(({ data }) => data.length))) {
    const graph = new Graph();
    const { model } = encodeGraph({ y: reshape(graph.input("x", [size]), [size]) });
    const source = await openSource(model, { threads: 1, device, onDevice: toDevice ? ["y"] : [] });
    const x = feedName({ kind: "input", name: "x" });
    try {
      const move: Move = async (from) => ({ tensor: (await source.run({ [x]: from })).y, source });
      for (const [i, tensor] of tensors.entries())
        if (tensor.data.length === size) results[i] = await work(tensor, move);
    } finally {
      await source.release();
    }
  }
  return results;
}
