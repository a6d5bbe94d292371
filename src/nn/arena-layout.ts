import type { Value } from "../graph/graph.ts";
import type { Memory } from "../runtime/backends/backend.ts";
import { compile } from "../runtime/compile.ts";
import { createCompiledCache } from "../runtime/compiled-cache.ts";
import { holdTensors } from "../runtime/held.ts";
import { assemble } from "../runtime/resources.ts";
import type { SessionOptions } from "../runtime/session-options.ts";
import type { Float32Tensor } from "../tensor/tensor.ts";
import { addTotals, scalarsOf, type ArenaEngine } from "./arena-pass.ts";

/** How arenas lie in memory, and are gone over there. */
export interface Layout<P extends string> {
  /** All of them, as they are held. */
  readonly held: readonly Float32Tensor[];
  /** Of those, what is brought to the host to be saved. */
  readonly kept: readonly Float32Tensor[];
  /** Σ g² of all gradients on a graph, and what that is fed. */
  readonly squares: { readonly total: Value; readonly feeds: Readonly<Record<string, Float32Tensor>> };
  /** What a pass goes over, one after the other. */
  readonly stretches: readonly Stretch<P>[];
}

export interface Stretch<P extends string> {
  /** What its graphs read, by the names of their inputs, and write over. */
  readonly tensors: Readonly<Record<string, Float32Tensor>>;
  /** Stretches of one kind have the same graphs. */
  readonly kind: string;
  /** A pass over it, as the outputs of a graph. */
  readonly outputs: (pass: P) => Readonly<Record<string, Value>>;
}

/** An engine over arenas that lie so. */
export function createEngineOn<P extends string>(
  { held, kept, squares: { total, feeds }, stretches }: Layout<P>,
  passes: readonly P[],
  { session, memory }: { readonly session: SessionOptions; readonly memory: Memory },
): Promise<ArenaEngine<P>> {
  return assemble(async (own, release) => {
    own(await holdTensors(memory, held));
    const squares = own(await compile({ total }, session));
    const graphs = own(createCompiledCache<string>());
    const graphFor = (pass: P, { kind, outputs }: Stretch<P>) =>
      graphs.get(`${pass} ${kind}`, () => compile<string>(outputs(pass), session));
    for (const stretch of stretches) for (const pass of passes) await graphFor(pass, stretch);
    return {
      squares: async () => (await squares.run(feeds)).total.data[0],
      async run(pass, constants) {
        const totals: Record<string, number> = {};
        const scalars = scalarsOf(constants);
        for (const stretch of stretches) {
          const graph = await graphFor(pass, stretch);
          addTotals(totals, await graph.run({ ...stretch.tensors, ...scalars }, stretch.tensors));
        }
        return totals;
      },
      fetch: () => memory.fetch(kept),
      send: () => memory.send(kept),
      release,
    };
  });
}
