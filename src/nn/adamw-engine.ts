import { Graph } from "../graph/graph.ts";
import { add, concat, div, matmul, mul, reshape, sqrt, sub, sum } from "../graph/ops/index.ts";
import { compile } from "../runtime/compile.ts";
import { createCompiledCache } from "../runtime/compiled-cache.ts";
import { fetchCopies, hold, letGo, sendAgain } from "../runtime/device-copies.ts";
import type { SessionOptions } from "../runtime/ort.ts";
import { assemble, type Resource } from "../runtime/resources.ts";
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
  return (session.device ?? "cpu") === "cpu" ? createHostEngine(arenas, session) : createDeviceEngine(arenas, session);
}

/** On the CPU an update is a pass over the arenas, in chunks that fit in the cache. */
function createHostEngine(arenas: Arenas, session: SessionOptions): Promise<AdamWEngine> {
  return assemble(async (own, release) => {
    const squares = own(await compileSquares(arenas.g, session));
    const update = own(await compileUpdate(CHUNK, session));
    const pieces = Array.from({ length: arenas.p.flat.length / CHUNK }, (_, i) =>
      pieceOf(({ flat }) => flat.subarray(i * CHUNK, (i + 1) * CHUNK), arenas),
    );
    return {
      squares: async () => (await squares.run({ g: rows(arenas.g) })).total.data[0],
      async update(constants) {
        for (const { p, g, m, v } of pieces) await update.run({ p, g, m, v, ...constants }, { p, m, v });
      },
      fetch: () => Promise.resolve(),
      send: () => Promise.resolve(),
      release,
    };
  });
}

/** On another device each parameter is updated by itself, for its tensors lie there by themselves. */
function createDeviceEngine(arenas: Arenas, session: SessionOptions): Promise<AdamWEngine> {
  const { device = "cpu" } = session;
  const pieces = [...arenas.p.tensors.keys()].map((name) =>
    pieceOf(({ tensors }) => tensors.get(name)?.data ?? new Float32Array(0), arenas),
  );
  const held = pieces.flatMap(({ p, g, m, v }) => [p, g, m, v]);
  const saved = pieces.flatMap(({ p, m, v }) => [p, m, v]);
  return assemble(async (own, release) => {
    await hold(held, device);
    own({
      release() {
        letGo(held);
        return Promise.resolve();
      },
    });
    const squares = own(await compileSquaresOfEach(pieces, session));
    const updates = own(createCompiledCache<"p" | "m" | "v">());
    return {
      squares: async () =>
        (await squares.run(Object.fromEntries(pieces.map(({ g }, i) => [`g${i}`, g])))).total.data[0],
      async update(constants) {
        for (const { p, g, m, v } of pieces) {
          const size = p.data.length;
          const graph = await updates.get(String(size), () => compileUpdate(size, session));
          await graph.run({ p, g, m, v, ...constants }, { p, m, v });
        }
      },
      fetch: () => fetchCopies(saved, device),
      send: () => sendAgain(saved, device),
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
  return compile({ p: updated, m: first, v: second }, { ...session, onDevice: ["p", "m", "v"] });
}
