import { Graph, type Value } from "../graph/graph.ts";
import { matmul, sum } from "../graph/ops/index.ts";
import type { Memory } from "../runtime/backends/backend.ts";
import { BACKENDS } from "../runtime/backends/index.ts";
import { compile, type Compiled } from "../runtime/compile.ts";
import { createCompiledCache } from "../runtime/compiled-cache.ts";
import { holdTensors } from "../runtime/held.ts";
import { assemble } from "../runtime/resources.ts";
import type { SessionOptions } from "../runtime/session-options.ts";
import type { Arena } from "../tensor/arena.ts";
import { flatView, type Float32Tensor } from "../tensor/tensor.ts";
import { createJoinedEngine } from "./arena-joined.ts";
import { addTotals, PASS, scalarsOf, totalsOf, type ArenaEngine, type Arenas, type Pass } from "./arena-pass.ts";

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
  const create = memory.canSlice ? createFlatEngine : createJoinedEngine;
  return create(arenas, passes, saved, { session, memory });
}

/** A pass goes over the arenas: on the CPU in chunks that fit in the cache. */
function createFlatEngine<K extends string, P extends string>(
  arenas: Arenas<K>,
  passes: Readonly<Record<P, Pass<K>>>,
  saved: readonly K[],
  { session, memory }: { readonly session: SessionOptions; readonly memory: Memory },
): Promise<ArenaEngine<P>> {
  const kinds = Object.keys(arenas) as (K | "p" | "g")[];
  const size = memory.isHost ? CHUNK : PASS;
  const whole = kinds.map((kind) => flatView(arenas[kind].flat));
  const kept = saved.map((kind) => flatView(arenas[kind].flat));
  return assemble(async (own, release) => {
    own(await holdTensors(memory, whole));
    const squares = own(await compileSquares(arenas.g, session));
    const graphs = own(createCompiledCache<string>());
    const graphFor = (pass: P, length: number) =>
      graphs.get(`${pass} ${length}`, () => compilePass(passes[pass], kinds, length, session));
    const { length } = arenas.p.flat;
    const pieces = Array.from({ length: Math.ceil(length / size) }, (_, i) =>
      Object.fromEntries(kinds.map((kind) => [kind, flatView(arenas[kind].flat.subarray(i * size, (i + 1) * size))])),
    ) as Readonly<Record<K | "p" | "g", Float32Tensor>>[];
    const names = Object.keys(passes) as P[];
    for (const { p } of pieces) for (const pass of names) await graphFor(pass, p.data.length);
    return {
      squares: async () => (await squares.run({ g: rows(arenas.g) })).total.data[0],
      async run(pass, constants) {
        const totals: Record<string, number> = {};
        const scalars = scalarsOf(constants);
        for (const piece of pieces) {
          const graph = await graphFor(pass, piece.p.data.length);
          addTotals(totals, await graph.run({ ...piece, ...scalars }, piece));
        }
        return totals;
      },
      fetch: () => memory.fetch(kept),
      send: () => memory.send(kept),
      release,
    };
  });
}

/** The whole arena as a batch of rows, [rows, 1, ROW]. */
function rows({ flat }: Arena): Float32Tensor {
  return { dtype: "float32", shape: [flat.length / ROW, 1, ROW], data: flat };
}

/** Σ g² of all gradients, as products of rows with themselves: one pass without temporaries. */
function compileSquares(gradients: Arena, session: SessionOptions) {
  const graph = new Graph();
  const g = graph.input("g", rows(gradients).shape);
  return compile({ total: sum(matmul(g, g, { transB: true })) }, session);
}

function compilePass<K extends string>(
  pass: Pass<K>,
  kinds: readonly (K | "p" | "g")[],
  size: number,
  session: SessionOptions,
): Promise<Compiled<string>> {
  const graph = new Graph();
  const values = Object.fromEntries(kinds.map((kind) => [kind, graph.input(kind, [size])]));
  const { written, summed } = pass(values as Record<K | "p" | "g", Value>);
  return compile<string>({ ...(written as Record<string, Value>), ...totalsOf(summed) }, session);
}
