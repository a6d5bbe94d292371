import { inHalves } from "../graph/dialect.ts";
import { Graph } from "../graph/graph.ts";
import { add } from "../graph/ops/index.ts";
import { flatView, float16Array, float32Array, sizeOf, type Shape, type Weight } from "../tensor/tensor.ts";
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
  take(shape: Shape, dtype?: Weight["dtype"]): Weight;
  give(tensor: Weight): void;
  /** Drops those that are not lent. */
  drain(): void;
}

export function createBufferPool({ device = "cpu" }: SessionOptions): BufferPool {
  const { memory } = BACKENDS[device];
  const free = new Map<string, Weight[]>();
  const lent = new Set<Weight>();
  const kindOf = (shape: Shape, dtype: string) => `${dtype} ${sizeOf(shape)}`;
  return {
    take(shape, dtype = "float32") {
      const tensor = { ...(free.get(kindOf(shape, dtype))?.pop() ?? bufferOf(shape, dtype)), shape };
      lent.add(tensor);
      memory.reserve([tensor]);
      return tensor;
    },
    give(tensor) {
      memory.letGo([tensor]);
      lent.delete(tensor);
      const kind = kindOf(tensor.shape, tensor.dtype);
      const same = free.get(kind);
      if (same === undefined) free.set(kind, [tensor]);
      else same.push(tensor);
    },
    drain: () => free.clear(),
    /** Lets go what a run that failed has left. */
    release() {
      memory.letGo(lent);
      lent.clear();
      return Promise.resolve();
    },
  };
}

function bufferOf(shape: Shape, dtype: Weight["dtype"]): Weight {
  const length = sizeOf(shape);
  return dtype === "float16"
    ? { dtype, shape, data: float16Array(length) }
    : { dtype, shape, data: float32Array(length) };
}

/** Adds tensors where they are. */
export interface Adder extends Resource {
  /** sum += addend, both of one type. @throws Error when they are not */
  add(sum: Weight, addend: Weight): Promise<void>;
}

export function createAdder(options: SessionOptions): Adder {
  const { isHost } = BACKENDS[options.device ?? "cpu"].memory;
  const graphs = createCompiledCache<"sum">();
  return {
    async add(sum, addend) {
      if (sum.dtype !== addend.dtype) throw new Error(`${addend.dtype} added to ${sum.dtype}`);
      if (isHost && sum.dtype === "float32") {
        for (let i = 0; i < sum.data.length; i++) sum.data[i] += addend.data[i];
        return;
      }
      const size = sum.data.length;
      const compiled = await graphs.get(`${sum.dtype} ${size}`, () => compileSum(size, sum.dtype, options));
      await compiled.run({ a: flat(sum), b: flat(addend) }, { sum: flat(sum) });
    },
    release: () => graphs.release(),
  };
}

function flat(tensor: Weight): Weight {
  return tensor.dtype === "float32" ? flatView(tensor.data) : { ...tensor, shape: [tensor.data.length] };
}

function compileSum(size: number, dtype: Weight["dtype"], options: SessionOptions) {
  const graph = new Graph();
  const [a, b] = ["a", "b"].map((name) => graph.input(name, [size]));
  const sum = { sum: add(a, b) };
  if (dtype === "float32") return compile(sum, options);
  const dialect = inHalves(BACKENDS[options.device ?? "cpu"].dialect);
  return compile(sum, { ...options, dialect, crossing: new Set(["a", "b", "sum"]) });
}
