import { Graph } from "../../graph/graph.ts";
import { gemm } from "../../graph/ops/index.ts";
import { compile, type Compiled } from "../../runtime/compile.ts";
import type { SessionOptions } from "../../runtime/session-options.ts";
import { withResources } from "../../runtime/resources.ts";
import { toFloat32, toHalf } from "../../tensor/half.ts";
import { zeros, type Float32Tensor, type Weight } from "../../tensor/tensor.ts";
import type { Lora } from "../lora.ts";
import type { LayerUpdate } from "./read.ts";

type Updating = readonly [updates: readonly LayerUpdate[], weight: number, session: SessionOptions];

/**
 * Weights with updates in them: W + weight · scale · up · down, in half precision where W is. The weights that are not updated are the same tensors.
 * @param weight how much of the updates; 1 is as they were trained, less than 0 the opposite
 */
export async function mergeUpdates(
  weights: ReadonlyMap<string, Float32Tensor>,
  ...how: Updating
): Promise<Map<string, Float32Tensor>>;
export async function mergeUpdates(
  weights: ReadonlyMap<string, Weight>,
  ...how: Updating
): Promise<Map<string, Weight>>;
export async function mergeUpdates(
  weights: ReadonlyMap<string, Weight>,
  ...[updates, weight, session]: Updating
): Promise<Map<string, Weight>> {
  return withResources(async (own) => {
    const merged = new Map(weights);
    const products = new Map<string, Compiled<"sum">>();
    for (const { layer, up, down, scale } of updates) {
      const name = `${layer.name}.weight`;
      const base = merged.get(name);
      if (base === undefined) throw new Error(`no weight ${name} to update`);
      const sizes = [up.shape[0], up.shape[1], down.shape[1]] as const;
      const key = sizes.join();
      const product = products.get(key) ?? own(await compileProduct(sizes, session));
      products.set(key, product);
      const flat = { ...toFloat32(base), shape: [sizes[0], sizes[2]] };
      const out = zeros(flat.shape);
      await product.run({ up: scaled(up, weight * scale), down, base: flat }, { sum: out });
      const sum = { ...out, shape: base.shape };
      merged.set(name, base.dtype === "float16" ? toHalf(sum) : sum);
    }
    return merged;
  });
}

/** The updates of a LoRA of one rank. */
export function updatesOf({ rank, alpha, parameters }: Lora): LayerUpdate[] {
  return [...parameters].flatMap(([name, down]) => {
    const layer = /^(.+)\.lora_A\.weight$/.exec(name)?.[1];
    const up = layer === undefined ? undefined : parameters.get(`${layer}.lora_B.weight`);
    if (layer === undefined || up === undefined) return [];
    return [{ layer: { name: layer, shape: [up.shape[0], down.shape[1]] }, down, up, scale: alpha / rank }];
  });
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
