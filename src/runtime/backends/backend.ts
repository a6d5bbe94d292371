import type { Dialect } from "../../graph/dialect.ts";
import type { HostTensor } from "../../tensor/tensor.ts";
import type { Precision } from "../device.ts";

/**
 * What a device is to the graphs that run on it. Each is a file of this folder and a line in index.ts; all pass one suite of tests
 * (backends.test.ts).
 */
export interface Backend {
  /** How graphs are said to it. */
  readonly dialect: Dialect;
  readonly memory: Memory;
  /** Whether its sessions may capture runs: graphs are said to it so that they can be. Absent: it cannot. */
  captures?(): boolean;
  /**
   * Makes a session of an ONNX model.
   * @throws UsageError when the device is not there
   */
  open(model: Uint8Array, options: OpenOptions): Promise<Session>;
  /** Of the engine, as a run's config records it: ONNX Runtime's by its number alone, others with their names. */
  version(): string;
  /**
   * Looks, before long work, whether it is there and can train or draw so, as far as can be seen without trying.
   * @throws UsageError
   */
  check(wanted: Pick<OpenOptions, "precision" | "workspace">): void;
}

export interface OpenOptions {
  readonly threads: number;
  /**
   * "kept" (the default) holds on to memory between runs, so that a run does not pay for fresh pages (a tenth of a training step's
   * time). "returned" gives it back to the system after each run: for graphs that run rarely, or beside others with little memory. "fresh" does
   * that too, and takes each value's memory when the value is computed, instead of all at once from a session's second run on: for large graphs
   * that take turns, of which that plan was twice the values.
   */
  readonly workspace?: "kept" | "returned" | "fresh" | undefined;
  /**
   * After how many runs the next ones may be captured ("graph capture"): the device records what it is told and is told it again, which takes
   * the processor a fraction of the time, gives the same bits, and costs four runs once. For sessions that run many times with the same
   * tensors in the device's memory and keep their workspace. Such a run is stopped before it begins or not at all. Absent: never.
   */
  readonly capturedAfter?: number | undefined;
  /** Whether the model computes with 16 bits. */
  readonly halves?: boolean | undefined;
  /**
   * Whether the model casts values where they are used: casts of one value are equal, and must not be made one, whose result would lie there
   * from its first use to its last.
   */
  readonly castsAgain?: boolean | undefined;
  /** Default: "float32". */
  readonly precision?: Precision | undefined;
}

/** A model that is ready to run. Not for two runs at once: see turns.ts. */
export interface Session {
  /**
   * Says what an input is in the runs that follow: the device's own copy where the tensor is held in its memory, else the host's array. The
   * session holds on to the tensor.
   */
  input(name: string, tensor: HostTensor): void;
  /** Says where an output goes, likewise. May be the very tensor of an input, where each element depends on its own alone. */
  output(name: string, tensor: HostTensor): void;
  /**
   * Runs off this thread; where graphs work on the host's own arrays it may be on it.
   * @param stop is looked at before the graph runs, and while it does if that is off this thread and not captured; what was computed then is
   * lost, and what was bound as input and output is undefined
   * @throws Stopped when it was stopped
   */
  run(stop?: StopFlag): Promise<void>;
  release(): Promise<void>;
}

export interface StopFlag {
  readonly aborted: boolean;
}

/** A run that was given up midway. */
export class Stopped extends Error {
  override readonly name = "Stopped";
}

/**
 * Tensors in a device's own memory. Weights, gradients and moments are sent there once, graphs read and write them in place, and they come
 * back when somebody wants to save them. Until then the host's arrays are out of date.
 *
 * What is held belongs to the tensor's elements: all tensors over the same array, in whatever shape, share it. Holds are counted: each graph
 * and optimizer holds what it works with and lets it go, and the last one frees it.
 *
 * Where graphs work on the host's own arrays nothing is ever sent or fetched.
 */
export interface Memory {
  /** Whether graphs work on the host's own arrays. */
  readonly isHost: boolean;
  /** Whether tensors that lie within a held one, as an arena's do, are held with it. */
  readonly canSlice: boolean;
  /** Sends tensors that are not there. To be undone by {@link Memory.letGo}; where sending fails, nothing is held. */
  hold(tensors: Iterable<HostTensor>): Promise<void>;
  /** As {@link Memory.hold}, for what will be computed there: nothing is sent. */
  reserve(tensors: Iterable<HostTensor>): void;
  letGo(tensors: Iterable<HostTensor>): void;
  /** Brings what was computed on the device into the host's arrays. */
  fetch(tensors: Iterable<HostTensor>): Promise<void>;
  /** Sends what the host has changed in tensors that are held. */
  send(tensors: Iterable<HostTensor>): Promise<void>;
  /** How many tensors are held: none when everything was released. */
  readonly held: number;
}

const nothing = (): Promise<void> => Promise.resolve();

export const HOST_MEMORY: Memory = {
  isHost: true,
  canSlice: true,
  hold: nothing,
  reserve: () => undefined,
  letGo: () => undefined,
  fetch: nothing,
  send: nothing,
  held: 0,
};
