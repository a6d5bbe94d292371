import type { SessionOptions } from "../../runtime/session-options.ts";
import { withResources } from "../../runtime/resources.ts";
import { toFloat32, toHalf } from "../../tensor/half.ts";
import { sizeOf, zeros, type Float32Tensor, type Weight } from "../../tensor/tensor.ts";
import type { Lora } from "../lora.ts";
import { deltaOf } from "./deltas.ts";
import { createProducts, type Products } from "./products.ts";
import type { LayerUpdate, LoraUpdates, Magnitude } from "./updates.ts";

type Updating = readonly [updates: readonly LayerUpdate[], weight: number, session: SessionOptions];

/**
 * Weights with updates in them, in half precision where they were: W + weight · (V - W), where V = W + scale · delta, or that with
 * DoRA's magnitude. The weights that are not updated are the same tensors. Everything is computed in float32, a layer at a time.
 *
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
    const products = createProducts(own, session);
    for (const update of updates) {
      const name = `${update.layer.name}.weight`;
      const base = merged.get(name);
      if (base === undefined) throw new Error(`no weight ${name} to update`);
      const [rows, ...inner] = base.shape;
      const flat = { ...toFloat32(base), shape: [rows, sizeOf(inner)] };
      const sum = { ...(await updated(flat, update, weight, products)), shape: base.shape };
      merged.set(name, base.dtype === "float16" ? toHalf(sum) : sum);
    }
    return merged;
  });
}

/** A matrix with an update in it. */
async function updated(
  base: Float32Tensor,
  { layer, delta, scale, magnitude }: LayerUpdate,
  weight: number,
  products: Products,
): Promise<Float32Tensor> {
  if (delta.kind === "product" && magnitude === undefined)
    return products(delta, { factor: weight * scale, added: base });
  const change = await deltaOf(delta, base.shape, products);
  const target = zeros(base.shape);
  for (let i = 0; i < target.data.length; i++) target.data[i] = base.data[i] + scale * change.data[i];
  if (magnitude !== undefined) bringTo(magnitude, target, sizeOf(layer.shape.slice(2)));
  for (let i = 0; i < target.data.length; i++) target.data[i] = base.data[i] + weight * (target.data[i] - base.data[i]);
  return target;
}

/** Of float32, which LyCORIS adds to lengths, so that those of nothing divide nothing. */
const EPSILON = 2 ** -23;

/**
 * V · m / |V| in place: of rows, or of input channels, over all outputs and the kernel.
 * @param kernel the numbers of an input channel in a row
 */
function bringTo({ axis, lengths }: Magnitude, { data, shape: [, columns] }: Float32Tensor, kernel: number): void {
  const slot = (i: number) => (axis === "out" ? Math.floor(i / columns) : Math.floor((i % columns) / kernel));
  const squares = new Float64Array(lengths.length);
  for (let i = 0; i < data.length; i++) squares[slot(i)] += data[i] * data[i];
  const factors = squares.map((sum, i) => lengths[i] / (Math.sqrt(sum) + EPSILON));
  for (let i = 0; i < data.length; i++) data[i] *= factors[slot(i)];
}

/** The updates of a LoRA of one rank. */
export function updatesOf({ rank, alpha, parameters }: Lora): LayerUpdate[] {
  return [...parameters].flatMap(([name, down]) => {
    const layer = /^(.+)\.lora_A\.weight$/.exec(name)?.[1];
    const up = layer === undefined ? undefined : parameters.get(`${layer}.lora_B.weight`);
    if (layer === undefined || up === undefined) return [];
    return [
      {
        layer: { name: layer, shape: [up.shape[0], down.shape[1]] },
        delta: { kind: "product", down, up },
        scale: alpha / rank,
      },
    ];
  });
}

/** The reverse of {@link updatesOf}: undefined for updates that are no such LoRA, of other models than the U-Net, kernels or of several ranks. */
export function loraOf(updates: LoraUpdates): Lora | undefined {
  const parameters = new Map<string, Float32Tensor>();
  let first: { readonly rank: number; readonly scale: number } | undefined;
  for (const [part, each] of updates)
    for (const { layer, delta, scale, magnitude } of each) {
      if (part !== "unet" || delta.kind !== "product" || magnitude !== undefined || layer.shape.length !== 2)
        return undefined;
      const [rank] = delta.down.shape;
      first ??= { rank, scale };
      if (rank !== first.rank || scale !== first.scale) return undefined;
      parameters.set(`${layer.name}.lora_A.weight`, delta.down);
      parameters.set(`${layer.name}.lora_B.weight`, delta.up);
    }
  return first && { rank: first.rank, alpha: first.scale * first.rank, parameters };
}
