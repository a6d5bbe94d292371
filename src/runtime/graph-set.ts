import type { Tensor } from "../tensor/tensor.ts";
import { Stopped, type StopFlag } from "./backends/backend.ts";
import type { Resource } from "./resources.ts";

/** A graph of a set. */
export interface SetGraph extends Resource {
  run(feeds: Readonly<Record<string, Tensor>>, stop?: StopFlag): Promise<Readonly<Record<string, Tensor>>>;
  /** Gives back what it holds for its next run, where it can. */
  rest?(): void;
}

/** A set among others on a device. */
interface Sharer {
  readonly graphs: () => number;
  readonly free: () => Promise<void>;
}

/** Sets that share a device. */
export type SharedRoom = Set<Sharer>;

/** Graphs of one program in several shapes, by a name for each. They share the weights, and the gradients if they train, that they were given. */
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
 * @param room of the sets whose graphs are freed then too
 */
export function createGraphSet(
  make: (name: string) => Promise<SetGraph>,
  most: number,
  room: SharedRoom = new Set(),
): GraphSet {
  /** The one that ran last stands last. */
  const kept = new Map<string, SetGraph>();
  const free = async (name: string): Promise<void> => {
    const graph = kept.get(name);
    kept.delete(name);
    await graph?.release();
  };
  const freeAll = async (): Promise<void> => {
    for (const name of [...kept.keys()]) await free(name);
  };
  const sharer = { graphs: () => kept.size, free: freeAll };
  room.add(sharer);
  const made = async (name: string): Promise<SetGraph> => {
    const latest = [...kept.keys()].at(-1);
    if (latest !== undefined && latest !== name) kept.get(latest)?.rest?.();
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
  const use = async <T>(name: string, what: (graph: SetGraph) => Promise<T>): Promise<T> => {
    const inRoom = () => [...room].reduce((sum, { graphs }) => sum + graphs(), 0);
    const others = inRoom() - (kept.has(name) ? 1 : 0);
    try {
      return await what(await made(name));
    } catch (error) {
      if (error instanceof Stopped || others === 0) throw error;
      for (const each of room) await each.free();
      try {
        return await what(await made(name));
      } catch (again) {
        if (again instanceof Error) again.cause ??= error;
        throw again;
      }
    }
  };
  return {
    open: (name) => use(name, () => Promise.resolve()),
    run: (name, feeds, stop) => use(name, (graph) => graph.run(feeds, stop)),
    async release() {
      room.delete(sharer);
      await freeAll();
    },
  };
}
