import type { Pointer } from "../../system/native.ts";
import type { HostTensor } from "../../tensor/tensor.ts";
import { Stopped, type Session, type StopFlag } from "../backends/backend.ts";
import { bind, type Binding } from "./binding.ts";
import { createPlaces, type Place, type PlacesParts } from "./places.ts";

/**
 * Graph capture: a run records the commands that it gives the device, and the next runs give them again, without the graph's nodes being gone
 * through. A replay reads and writes the very buffers of the run that was captured. ONNX Runtime does not look whether they are still what is
 * bound, and records kernels alone: a copy within the graph is not made again. Both would be wrong in silence, so that here
 *
 * - whatever is not held in the device's memory has a buffer there of the session's own, copied to before a run and from after it;
 * - a graph one of whose tensors lies elsewhere than when it was captured is captured anew;
 * - a graph that writes over its inputs runs as ever: captured, it would run twice;
 * - the first capture is proved: see {@link Proof}.
 *
 * What lies between a captured graph's nodes stays in memory for its next run. One graph of a device is captured at a time, and let go when the
 * turn of another session of this kind comes; it is captured anew in its own next turn.
 */

/** The key of a run's graph, and its values: no capture, and the one that a session has. */
export const GRAPH_ID = "gpu_graph_id";
export const NOT_CAPTURED = "-1";
const CAPTURED = 1;

/** Outputs that are compared in the proof, in bytes: a LoRA's gradients, not a whole U-Net's. */
const MOST_OUTPUT_BYTES = 2 ** 28;

/** Of a device. */
export interface CaptureRoom {
  /** Lets the captured graph go. */
  drop?: (() => void) | undefined;
  /** Whether capturing has failed, as for want of memory: then it is left for good. */
  hasFailed: boolean;
}

export interface CaptureParts extends PlacesParts {
  readonly session: Pointer;
  readonly room: CaptureRoom;
  /** How many runs are not captured. */
  readonly after?: number | undefined;
}

/**
 * Whether a graph's replays are what the graph computes: not before the first results are, on this device, by this driver.
 *
 * It is captured while its inputs are no numbers at all, and replayed with the step's. What was copied, or read from a place that has changed,
 * is no number then either. The graph is captured again with the step's inputs, computing them as it goes, and what came out has to be the
 * same to the bit.
 */
type Proof = "untried" | "given" | "failed";

/** @param plain the same session, whose runs are not captured; released with this one */
export function createCapturingSession(plain: Session, parts: CaptureParts): Session {
  const { ort, session, memory, room, after = 0 } = parts;
  const places = createPlaces(parts);
  const sides = { input: new Map<string, HostTensor>(), output: new Map<string, HostTensor>() };
  let binding: Binding | undefined;
  let captured: readonly Place[] | undefined;
  let proof: Proof = "untried";
  let runs = 0;
  let running: Promise<void> | undefined;
  let isReleased = false;

  const drop = (): void => {
    const isCaptured = captured !== undefined;
    captured = undefined;
    if (room.drop === drop) room.drop = undefined;
    if (isCaptured) ort.call("SessionReleaseCapturedGraph", session, CAPTURED);
  };

  const send = (all: readonly Place[], arrayOf: (tensor: HostTensor) => HostTensor["data"] = ({ data }) => data) => {
    const fed = all.filter(({ side, isStaged }) => side === "input" && isStaged);
    const arrays = fed.map(({ tensor }) => arrayOf(tensor));
    return places.copy("send", fed, arrays);
  };

  /** Replays, or captures where nothing is that fits. */
  const execute = async (all: readonly Place[]): Promise<void> => {
    binding ??= bind(ort, session, { [GRAPH_ID]: String(CAPTURED) });
    const fits = captured?.length === all.length && captured.every(({ at }, i) => at === all[i].at);
    if (!fits) {
      drop();
      for (const { side, name, at } of all) binding[side](name, at.value);
      captured = all;
      room.drop = drop;
    }
    await binding.run();
  };

  const resultsOf = async (all: readonly Place[]): Promise<HostTensor["data"][]> => {
    const outputs = all.filter(({ side }) => side === "output");
    const arrays = outputs.map(({ tensor }) => emptyLike(tensor));
    await places.copy("fetch", outputs, arrays);
    return arrays;
  };

  const prove = async (all: readonly Place[], stop: StopFlag | undefined): Promise<void> => {
    drop();
    await send(all, noNumbers);
    await execute(all);
    checkStop(stop);
    await send(all);
    await execute(all);
    const replayed = await resultsOf(all);
    drop();
    checkStop(stop);
    await execute(all);
    const computed = await resultsOf(all);
    // of a step that overflowed nothing can be said: it runs as ever, and the next one is tried
    if (!computed.every(isFinite)) drop();
    else proof = computed.every((array, i) => isSame(array, replayed[i])) ? "given" : "failed";
  };

  /** Undefined where it cannot be captured now. */
  const capturablePlaces = (): Place[] | undefined => {
    if (runs++ < after || room.hasFailed || proof === "failed") return undefined;
    const outputs = [...sides.output.values()];
    const isSmall = outputs.reduce((bytes, { data }) => bytes + data.byteLength, 0) <= MOST_OUTPUT_BYTES;
    return isSmall && outputs.every(({ dtype }) => dtype !== "float16") ? places.of(sides) : undefined;
  };

  const runPlain = async (stop: StopFlag | undefined): Promise<void> => {
    drop();
    for (const side of ["input", "output"] as const)
      for (const [name, tensor] of sides[side]) plain[side](name, tensor);
    await plain.run(stop);
  };

  const run = async (stop: StopFlag | undefined): Promise<void> => {
    checkStop(stop);
    if (room.drop !== drop) room.drop?.(); // its memory is wanted, captured or not
    let all: Place[] | undefined;
    try {
      all = capturablePlaces();
    } catch {
      room.hasFailed = true;
    }
    if (all === undefined) return runPlain(stop);
    const outputs = all.filter(({ side }) => side === "output");
    try {
      if (proof === "untried") await prove(all, stop);
      else {
        await send(all);
        await execute(all);
      }
      const staged = outputs.filter(({ isStaged }) => isStaged);
      const arrays = staged.map(({ tensor }) => tensor.data);
      await places.copy("fetch", staged, arrays);
    } catch (error) {
      drop();
      if (error instanceof Stopped) throw error;
      room.hasFailed = true; // as for want of memory: without, there is more
    } finally {
      for (const { tensor, isStaged } of outputs) if (!isStaged) memory.written(tensor);
    }
    if (captured === undefined || proof !== "given") await runPlain(stop);
  };

  const bindTo = (side: Place["side"]) => (name: string, tensor: HostTensor) => {
    if (isReleased) throw new Error("the session was released");
    sides[side].set(name, tensor);
  };

  return {
    input: bindTo("input"),
    output: bindTo("output"),
    async run(stop) {
      if (isReleased) throw new Error("the session was released");
      running = run(stop);
      await running;
    },
    async release() {
      if (isReleased) return;
      isReleased = true;
      await running?.catch(() => undefined); // whoever runs it learns of its failure
      drop();
      binding?.release();
      places.release();
      await plain.release();
    },
  };
}

function checkStop(stop: StopFlag | undefined): void {
  if (stop?.aborted === true) throw new Stopped();
}

/** Not a number, in all places; zeros where token ids are, which are valid. */
function noNumbers(tensor: HostTensor): HostTensor["data"] {
  const array = emptyLike(tensor);
  return array instanceof Float32Array ? array.fill(NaN) : array;
}

function emptyLike({ dtype, data }: HostTensor): HostTensor["data"] {
  const buffer = new ArrayBuffer(data.byteLength);
  if (dtype === "float16") throw new TypeError("halves are not staged");
  return dtype === "int32" ? new Int32Array(buffer) : new Float32Array(buffer);
}

function isFinite(array: HostTensor["data"]): boolean {
  return !(array instanceof Float32Array) || array.every((x) => Number.isFinite(x));
}

function isSame(a: HostTensor["data"], b: HostTensor["data"]): boolean {
  const [x, y] = [a, b].map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength));
  return x.equals(y);
}
