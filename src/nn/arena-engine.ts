import { Graph, type Value } from "../graph/graph.ts";
import { matmul, sum } from "../graph/ops/index.ts";
import type { Memory } from "../runtime/backends/backend.ts";
import { BACKENDS } from "../runtime/backends/index.ts";
import type { SessionOptions } from "../runtime/session-options.ts";
import type { Arena } from "../tensor/arena.ts";
import { flatView, type Float32Tensor } from "../tensor/tensor.ts";
import { joinedLayout } from "./arena-joined.ts";
import { createEngineOn, type Layout } from "./arena-layout.ts";
import { PASS, totalsOf, type ArenaEngine, type Arenas, type Pass } from "./arena-pass.ts";

/** Elements that one run of a pass's graph takes on a CPU: its arrays fit in the cache together. Arenas are multiples of it. */
export const CHUNK = 2 ** 18;

/** Elements of one of the products whose sum is the gradients' norm. */
const ROW = 2 ** 14;

/**
 * An optimizer's arithmetic, where its tensors are: in the host's arenas, or on a device.
 * @param saved the kinds that are brought to the host to be saved
 */
export function createEngine<K extends string, P extends string>(
  arenas: Arenas<K>,
  passes: Readonly<Record<P, Pass<K>>>,
  saved: readonly K[],
  session: SessionOptions,
): Promise<ArenaEngine<P>> {
  const { memory } = BACKENDS[session.device ?? "cpu"];
  const layout = memory.canSlice ? flatLayout(arenas, passes, saved, memory) : joinedLayout(arenas, passes, saved);
  return createEngineOn(layout, Object.keys(passes) as P[], { session, memory });
}

/** The arenas are held as they are, and gone over in stretches: on the CPU in chunks that fit in the cache. */
function flatLayout<K extends string, P extends string>(
  arenas: Arenas<K>,
  passes: Readonly<Record<P, Pass<K>>>,
  saved: readonly K[],
  { isHost }: Memory,
): Layout<P> {
  const kinds = Object.keys(arenas) as (K | "p" | "g")[];
  const size = isHost ? CHUNK : PASS;
  const { length } = arenas.p.flat;
  return {
    held: kinds.map((kind) => flatView(arenas[kind].flat)),
    kept: saved.map((kind) => flatView(arenas[kind].flat)),
    squares: squaresOf(arenas.g),
    stretches: Array.from({ length: Math.ceil(length / size) }, (_, i) => {
      const [start, end] = [i * size, Math.min((i + 1) * size, length)];
      return {
        tensors: Object.fromEntries(kinds.map((kind) => [kind, flatView(arenas[kind].flat.subarray(start, end))])),
        kind: String(end - start),
        outputs: (pass) => passOver(passes[pass], kinds, end - start),
      };
    }),
  };
}

/** Σ g² of all gradients, as products of rows of the whole arena with themselves: one pass without temporaries. */
function squaresOf({ flat }: Arena): Layout<string>["squares"] {
  const rows: Float32Tensor = { dtype: "float32", shape: [flat.length / ROW, 1, ROW], data: flat };
  const g = new Graph().input("g", rows.shape);
  return { total: sum(matmul(g, g, { transB: true })), feeds: { g: rows } };
}

function passOver<K extends string>(
  pass: Pass<K>,
  kinds: readonly (K | "p" | "g")[],
  size: number,
): Record<string, Value> {
  const graph = new Graph();
  const values = Object.fromEntries(kinds.map((kind) => [kind, graph.input(kind, [size])]));
  const { written, summed } = pass(values as Record<K | "p" | "g", Value>);
  return { ...(written as Record<string, Value>), ...totalsOf(summed) };
}
