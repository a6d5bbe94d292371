import { Graph } from "../../graph/graph.ts";
import { gemm } from "../../graph/ops/index.ts";
import { compile, type Compiled } from "../../runtime/compile.ts";
import type { Own } from "../../runtime/resources.ts";
import type { SessionOptions } from "../../runtime/session-options.ts";
import { zeros, type Float32Tensor } from "../../tensor/tensor.ts";
import type { LowRank } from "./updates.ts";

/** added + factor · up · down. Default: nothing added, and all of it. */
export type Products = (
  pair: LowRank,
  options?: { readonly factor?: number; readonly added?: Float32Tensor },
) => Promise<Float32Tensor>;

/** Products of matrices on graphs, one for each set of sizes. @param own keeps the graphs for as long as they are wanted */
export function createProducts(own: Own, session: SessionOptions): Products {
  const compiled = new Map<string, Compiled<"sum">>();
  return async ({ up, down }, { factor = 1, added } = {}) => {
    const sizes = [up.shape[0], up.shape[1], down.shape[1]] as const;
    const key = sizes.join();
    const product = compiled.get(key) ?? own(await compileProduct(sizes, session));
    compiled.set(key, product);
    const out = zeros([sizes[0], sizes[2]]);
    await product.run({ up: scaled(up, factor), down, base: added ?? zeros(out.shape) }, { sum: out });
    return out;
  };
}

/** base + up · down, of [out, in], [out, rank] and [rank, in]. */
function compileProduct(
  [out, rank, features]: readonly [out: number, rank: number, features: number],
  session: SessionOptions,
): Promise<Compiled<"sum">> {
  const graph = new Graph();
  const sum = gemm(
    graph.input("up", [out, rank]),
    graph.input("down", [rank, features]),
    graph.input("base", [out, features]),
  );
  return compile({ sum }, session);
}

function scaled({ shape, data }: Float32Tensor, factor: number): Float32Tensor {
  const out = zeros(shape);
  for (let i = 0; i < data.length; i++) out.data[i] = data[i] * factor;
  return out;
}
