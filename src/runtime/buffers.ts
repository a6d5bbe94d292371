import { Graph } from "../graph/graph.ts";
import { add } from "../graph/ops/index.ts";
import { flatView, float32Array, sizeOf, type Float32Tensor, type Shape } from "../tensor/tensor.ts";
import { BACKENDS } from "./backends/index.ts";
import { compile } from "./compile.ts";
import { createCompiledCache } from "./compiled-cache.ts";
import type { Resource } from "./resources.ts";
import type { SessionOptions } from "./session-options.ts";

/** What crosses a program's cuts: buffers that are used again, and sums in them. */

/**
 * Buffers by size, each lent to one value at a time. On a device they are only names of what lies there: the host's pages are never
 * touched.
 */
export interface BufferPool extends Resource {
  take(shape: Shape): Float32Tensor;
  give(tensor: Float32Tensor): void;
}

export function createBufferPool({ device = "cpu" }: SessionOptions): BufferPool {
  const { memory } = BACKENDS[device];
  const free = new Map<number, Float32Array[]>();
  const lent = new Set<Float32Array>();
  return {
    take(shape) {
      const data = free.get(sizeOf(shape))?.pop() ?? float32Array(sizeOf(shape));
      lent.add(data);
      const tensor: Float32Tensor = { dtype: "float32", shape, data };
      memory.reserve([tensor]);
      return tensor;
    },
    give(tensor) {
      const { data } = tensor;
      memory.letGo([tensor]);
      lent.delete(data);
      const same = free.get(data.length);
      if (same === undefined) free.set(data.length, [data]);
      else same.push(data);
    },
    /** Lets go what a run that failed has left. */
    release() {
      memory.letGo([...lent].map(flatView));
      lent.clear();
      return Promise.resolve();
    },
  };
}

/** Adds tensors where they are. */
export interface Adder extends Resource {
  /** sum += addend */
  add(sum: Float32Tensor, addend: Float32Tensor): Promise<void>;
}

export function createAdder(options: SessionOptions): Adder {
  if (BACKENDS[options.device ?? "cpu"].memory.isHost)
    return {
      add({ data }, addend) {
        for (let i = 0; i < data.length; i++) data[i] += addend.data[i];
        return Promise.resolve();
      },
      release: () => Promise.resolve(),
    };
  const graphs = createCompiledCache<"sum">();
  return {
    async add(sum, addend) {
      const size = sum.data.length;
      const compiled = await graphs.get(String(size), () => compileSum(size, options));
      await compiled.run({ a: flatView(sum.data), b: flatView(addend.data) }, { sum: flatView(sum.data) });
    },
    release: () => graphs.release(),
  };
}

function compileSum(size: number, options: SessionOptions) {
  const graph = new Graph();
  const [a, b] = ["a", "b"].map((name) => graph.input(name, [size]));
  return compile({ sum: add(a, b) }, options);
}
