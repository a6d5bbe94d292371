import type { Compiled } from "./compile.ts";
import type { Resource } from "./resources.ts";

/** Graphs that are compiled when they are first asked for, and kept. */
export interface CompiledCache<K extends string> extends Resource {
  /** The graph of this key. One that could not be compiled is not kept: the next call tries again. */
  get(key: string, make: () => Promise<Compiled<K>>): Promise<Compiled<K>>;
}

export function createCompiledCache<K extends string>(): CompiledCache<K> {
  const graphs = new Map<string, Promise<Compiled<K>>>();
  return {
    get(key, make) {
      const known = graphs.get(key);
      if (known !== undefined) return known;
      const made = make();
      graphs.set(key, made);
      made.catch(() => {
        if (graphs.get(key) === made) graphs.delete(key);
      });
      return made;
    },
    async release() {
      const all = [...graphs.values()];
      graphs.clear();
      // a graph that fails to compile has nothing to release
      for (const made of all) await (await made.catch(() => undefined))?.release();
    },
  };
}
