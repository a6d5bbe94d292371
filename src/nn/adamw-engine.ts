import { Graph } from "../graph/graph.ts";
import { matmul, sum } from "../graph/ops/index.ts";
import type { Memory } from "../runtime/backends/backend.ts";
import { BACKENDS } from "../runtime/backends/index.ts";
import { compile } from "../runtime/compile.ts";
import { createCompiledCache } from "../runtime/compiled-cache.ts";
import { holdTensors } from "../runtime/held.ts";
import { assemble } from "../runtime/resources.ts";
import type { SessionOptions } from "../runtime/session-options.ts";
import type { Arena } from "../tensor/arena.ts";
import { flatView, type Float32Tensor } from "../tensor/tensor.ts";
import { createJoinedEngine } from "./adamw-joined.ts";
import { PASS, updateOf, type AdamWEngine, type Arenas, type Kind } from "./adamw-update.ts";

/** Elements that one run of the update's graph takes on a CPU: its four arrays fit in the cache together. Arenas are multiples of it. */
export const CHUNK = 2 ** 18;

/** Elements of one of the products whose sum is the gradients' norm. */
const ROW = 2 ** 14;

/** AdamW's arithmetic, where its tensors are: in the host's arenas, or on a device. */
export function createEngine(arenas: Arenas, session: SessionOptions): Promise<AdamWEngine> {
  const { memory } = BACKENDS[session.device ?? "cpu"];
  return memory.canSlice ? createFlatEngine(arenas, session, memory) : createJoinedEngine(arenas, session, memory);
}

/** An update is a pass over the arenas: on the CPU in chunks that fit in the cache. */
function createFlatEngine(arenas: Arenas, session: SessionOptions, memory: Memory): Promise<AdamWEngine> {
  const size = memory.isHost ? CHUNK : PASS;
  const { p, g, m, v } = pieceOf(({ flat }) => flat, arenas);
  return assemble(async (own, release) => {
    own(await holdTensors(memory, [p, g, m, v]));
    const squares = own(await compileSquares(arenas.g, session));
    const updates = own(createCompiledCache<"p" | "m" | "v">());
    const updateFor = (length: number) => updates.get(String(length), () => compileUpdate(length, session));
    const pieces = Array.from({ length: Math.ceil(p.data.length / size) }, (_, i) =>
      pieceOf(({ flat }) => flat.subarray(i * size, (i + 1) * size), arenas),
    );
    for (const piece of pieces) await updateFor(piece.p.data.length);
    return {
      squares: async () => (await squares.run({ g: rows(arenas.g) })).total.data[0],
      async update(constants) {
        for (const { p, g, m, v } of pieces) {
          const update = await updateFor(p.data.length);
          await update.run({ p, g, m, v, ...constants }, { p, m, v });
        }
      },
      fetch: () => memory.fetch([p, m, v]),
      send: () => memory.send([p, m, v]),
      release,
    };
  });
}

/** The same stretch of all four arenas. */
function pieceOf(
  stretch: (arena: Arena) => Float32Array,
  { p, g, m, v }: Arenas,
): Readonly<Record<Kind, Float32Tensor>> {
  const flat = (arena: Arena) => flatView(stretch(arena));
  return { p: flat(p), g: flat(g), m: flat(m), v: flat(v) };
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

function compileUpdate(size: number, session: SessionOptions) {
  const graph = new Graph();
  const [p, g, m, v] = ["p", "g", "m", "v"].map((name) => graph.input(name, [size]));
  return compile(updateOf({ p, g, m, v }), session);
}
