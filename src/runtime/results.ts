import { encodeGraph } from "../graph/encode.ts";
import { Graph } from "../graph/graph.ts";
import { add } from "../graph/ops/index.ts";
import { float32, zeros } from "../tensor/tensor.ts";
import { createSession, toOrt, type DeviceTensor, type Session } from "./ort.ts";

/**
 * Results without the copy.
 *
 * ONNX Runtime's Node binding copies every output into an ArrayBuffer of its own, even those that were computed into a buffer of the
 * caller's: of a full U-Net's gradients and of AdamW's three results that is a third of the step's time, and as much memory as the
 * weights take. It converts outputs in the model's order and throws at the first that is no tensor, when all are computed. So models
 * get an empty sequence as their first output, all other outputs get buffers, and that one error is the end of a good run.
 *
 * Another version of the binding may do otherwise. Whether it can be done is tried once in each process, on a sum.
 */

/** The first output's name. */
export const STOP = "stop";

const MESSAGE = "Non tensor type is temporarily not supported.";

type Buffers = Readonly<Record<string, DeviceTensor>>;

let tried: Promise<boolean> | undefined;

/** Whether {@link runInto} works with the binding at hand. */
export function canStopCopies(): Promise<boolean> {
  return (tried ??= trySum().catch((error: unknown) => {
    tried = undefined;
    throw error;
  }));
}

/** Runs a session whose first output is {@link STOP} and fills the buffers of all others. */
export async function runInto(session: Session, feeds: Buffers, buffers: Buffers): Promise<void> {
  try {
    await session.run(feeds, { [STOP]: null, ...buffers });
  } catch (error) {
    if (!(error instanceof Error && error.message.includes(MESSAGE))) throw error;
  }
}

async function trySum(): Promise<boolean> {
  const graph = new Graph();
  const x = graph.input("x", [2]);
  const { model } = encodeGraph({ y: add(x, 1) }, { emptySequence: STOP });
  const session = await createSession(model, { threads: 1, workspace: "returned" });
  const y = zeros([2]);
  try {
    await session.run({ "input:x": toOrt(float32([1, 2])) }, { [STOP]: null, y: toOrt(y) });
    return false; // no error: the binding has learnt about sequences
  } catch {
    return y.data[0] === 2 && y.data[1] === 3;
  } finally {
    await session.release();
  }
}
