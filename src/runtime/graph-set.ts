import type { Tensor } from "../tensor/tensor.ts";
import { Stopped, type StopFlag } from "./backends/backend.ts";
import type { Resource } from "./resources.ts";
import type { TrainingGraph } from "./training.ts";

/** Training graphs of one program in several shapes, by a name for each. They share the weights and the gradients that they were given. */
export interface GraphSet extends Resource {
  /** Makes a graph ready. */
  open(name: string): Promise<void>;
  /** {@link TrainingGraph.run} of a graph, which is made ready first where it is not. */
  run(
    name: string,
    feeds: Readonly<Record<string, Tensor>>,
    stop?: StopFlag,
  ): Promise<Readonly<Record<string, Tensor>>>;
}

/**
 * Compiles each graph when it is first wanted and keeps those that ran last, at most `most` of them. Where one cannot be compiled or run beside
 * the others, as in a device's memory, these are freed and it is tried once more.
 */
export function createGraphSet(make: (name: string) => Promise<TrainingGraph>, most: number): GraphSet {
  /** The one that ran last stands last. */
  const kept = new Map<string, TrainingGraph>();
  const free = async (name: string): Promise<void> => {
    const graph = kept.get(name);
    kept.delete(name);
    await graph?.release();
  };
  const freeAll = async (): Promise<void> => {
    for (const name of [...kept.keys()]) await free(name);
  };
  const made = async (name: string): Promise<TrainingGraph> => {
    const latest = [...kept.keys()].at(-1);
    if (latest !== undefined && latest !== name) kept.get(latest)?.rest();
    const known = kept.get(name);
    kept.delete(name);
    if (known === undefined) {
      const [oldest] = kept.keys();
      if (kept.size >= most) await free(oldest);
    }
    const graph = known ?? (await make(name));
    kept.set(name, graph);
    return graph;
  };
  return {
    async open(name) {
      await made(name);
    },
    async run(name, feeds, stop) {
      const others = [...kept.keys()].filter((other) => other !== name).length;
      try {
        return await (await made(name)).run(feeds, stop);
      } catch (error) {
        if (error instanceof Stopped || others === 0) throw error;
        await freeAll();
        try {
          return await (await made(name)).run(feeds, stop);
        } catch (again) {
          if (again instanceof Error) again.cause ??= error;
          throw again;
        }
      }
    },
    release: freeAll,
  };
}
