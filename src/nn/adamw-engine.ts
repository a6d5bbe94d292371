import { Graph } from "../graph/graph.ts";
import { add, concat, div, matmul, mul, reshape, sqrt, sub, sum } from "../graph/ops/index.ts";
import type { Memory } from "../runtime/backends/backend.ts";
import { BACKENDS } from "../runtime/backends/index.ts";
import { compile } from "../runtime/compile.ts";
import { createCompiledCache, type CompiledCache } from "../runtime/compiled-cache.ts";
import { holdTensors } from "../runtime/held.ts";
import { assemble, type Resource } from "../runtime/resources.ts";
import type { SessionOptions } from "../runtime/session-options.ts";
import type { Arena } from "../tensor/arena.ts";
import { flatView, type Float32Tensor } from "../tensor/tensor.ts";

/** AdamW's arithmetic, where its tensors are: in the host's arenas, or on a device. */

/** Elements that one run of the update's graph takes on a CPU: its four arrays fit in the cache together. Arenas are multiples of it. */
export const CHUNK = 2 ** 18;

/** Elements of one of the products whose sum is the gradients' norm. */
const ROW = 2 ** 14;

/** Parameters, gradients, first and second moments. */
type Kind = "p" | "g" | "m" | "v";
export type Arenas = Readonly<Record<Kind, Arena>>;
type Piece = Readonly<Record<Kind, Float32Tensor>>;
type Constants = Readonly<Record<"beta1" | "beta2" | "rest1" | "rest2" | "decay" | "rate" | "epsilon", Float32Tensor>>;

/** What does the arithmetic, where the tensors are. */
export interface AdamWEngine extends Resource {
  /** Σ g² of all gradients. */
  squares(): Promise<number>;
  /** p, m and v from themselves and g. */
  update(constants: Constants): Promise<void>;
  fetch(): Promise<void>;
  send(): Promise<void>;
}

export function createEngine(arenas: Arenas, session: SessionOptions): Promise<AdamWEngine> {
  return memoryOf(session).canSlice ? createFlatEngine(arenas, session) : createPiecewiseEngine(arenas, session);
}

function memoryOf({ device = "cpu" }: SessionOptions): Memory {
  return BACKENDS[device].memory;
}

/** Elements of a device's pass: its temporaries are of this size, and it costs one launch an operation. */
const DEVICE_CHUNK = 2 ** 24;

/** An update is a pass over the arenas: on the CPU in chunks that fit in the cache. */
function createFlatEngine(arenas: Arenas, session: SessionOptions): Promise<AdamWEngine> {
  const memory = memoryOf(session);
  const chunk = memory.isHost ? CHUNK : DEVICE_CHUNK;
  const { p, g, m, v } = pieceOf(({ flat }) => flat, arenas);
  return assemble(async (own, release) => {
    own(await holdTensors(memory, [p, g, m, v]));
    const squares = own(await compileSquares(arenas.g, session));
    const updates = own(createCompiledCache<"p" | "m" | "v">());
    const pieces = Array.from({ length: Math.ceil(p.data.length / chunk) }, (_, i) =>
      pieceOf(({ flat }) => flat.subarray(i * chunk, (i + 1) * chunk), arenas),
    );
    for (const piece of pieces) await updateOf(piece, updates, session);
    return {
      squares: async () => (await squares.run({ g: rows(arenas.g) })).total.data[0],
      update: (constants) => updateEach(pieces, constants, updates, session),
      fetch: () => memory.fetch([p, m, v]),
      send: () => memory.send([p, m, v]),
      release,
    };
  });
}

async function updateEach(
  pieces: readonly Piece[],
  constants: Constants,
  updates: CompiledCache<"p" | "m" | "v">,
  session: SessionOptions,
): Promise<void> {
  for (const piece of pieces) {
    const { p, g, m, v } = piece;
    const graph = await updateOf(piece, updates, session);
    await graph.run({ p, g, m, v, ...constants }, { p, m, v });
  }
}

function updateOf({ p }: Piece, updates: CompiledCache<"p" | "m" | "v">, session: SessionOptions) {
  const size = p.data.length;
  return updates.get(String(size), () => compileUpdate(size, session));
}

/** Where memory cannot be sliced, each parameter is updated by itself. */
function createPiecewiseEngine(arenas: Arenas, session: SessionOptions): Promise<AdamWEngine> {
  const memory = memoryOf(session);
  const pieces = [...arenas.p.tensors.keys()].map((name) =>
    pieceOf(({ tensors }) => tensors.get(name)?.data ?? new Float32Array(0), arenas),
  );
  const saved = pieces.flatMap(({ p, m, v }) => [p, m, v]);
  return assemble(async (own, release) => {
    own(await holdTensors(memory, [...saved, ...pieces.map(({ g }) => g)]));
    const squares = own(await compileSquaresOfEach(pieces, session));
    const updates = own(createCompiledCache<"p" | "m" | "v">());
    return {
      squares: async () =>
        (await squares.run(Object.fromEntries(pieces.map(({ g }, i) => [`g${i}`, g])))).total.data[0],
      update: (constants) => updateEach(pieces, constants, updates, session),
      fetch: () => memory.fetch(saved),
      send: () => memory.send(saved),
      release,
    };
  });
}

/** The same stretch of all four arenas. */
function pieceOf(stretch: (arena: Arena) => Float32Array, { p, g, m, v }: Arenas): Piece {
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

/** Σ g² of gradients g0, g1, ... */
function compileSquaresOfEach(pieces: readonly Piece[], session: SessionOptions) {
  const graph = new Graph();
  const squares = pieces.map(({ g }, i) => {
    const gradient = graph.input(`g${i}`, g.shape);
    return reshape(sum(mul(gradient, gradient)), [1]);
  });
  return compile({ total: sum(concat(squares, 0)) }, session);
}

/** The update of so many elements; the outputs may be written over the inputs, for every element depends on its own alone. */
function compileUpdate(size: number, session: SessionOptions) {
  const graph = new Graph();
  const [p, g, m, v] = ["p", "g", "m", "v"].map((name) => graph.input(name, [size]));
  const scalar = (name: string) => graph.input(name, []);
  // with c the factor that clips g: m = β₁ m + (1 - β₁) c g
  const first = add(mul(m, scalar("beta1")), mul(g, scalar("rest1")));
  // v = β₂ v + (1 - β₂) c² g²
  const second = add(mul(v, scalar("beta2")), mul(mul(g, g), scalar("rest2")));
  // p = (1 - lr λ) p - lr m̂ / (√v̂ + ε), m̂ = m / (1 - β₁ᵗ), v̂ = v / (1 - β₂ᵗ); all of the fraction is taken times √(1 - β₂ᵗ)
  const fraction = div(mul(first, scalar("rate")), add(sqrt(second), scalar("epsilon")));
  const updated = sub(mul(p, scalar("decay")), fraction);
  return compile({ p: updated, m: first, v: second }, session);
}
