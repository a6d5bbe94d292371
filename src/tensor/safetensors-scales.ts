/** Scales of weights in 8-bit floats, as ComfyUI's checkpoints have them: the weight is what is stored times its scale. */

import { ModelError } from "../system/errors.ts";
import type { TensorInfo } from "./safetensors-header.ts";
import { zeros, type Float32Tensor, type Tensor } from "./tensor.ts";

/** Where a file says that it has scales, for reading weights. */
export interface Scales {
  /** The scale's name, by the weight's. */
  readonly scales: ReadonlyMap<string, string>;
  /** Tensors that are no weights: scales of weights and of a layer's input, notes about them. */
  readonly hidden: ReadonlySet<string>;
}

const NONE: Scales = { scales: new Map(), hidden: new Set() };

/** A mark that a whole file is scaled; it holds nothing. */
const MARK = "scaled_fp8";

/**
 * Weights' scales in a file with 8-bit floats: `x.scale_weight` or `x.weight_scale` belongs to `x.weight`, or to `x` where there is no such.
 * @throws ModelError for a scale of anything but one number, or one for each row
 */
export function findScales(tensors: ReadonlyMap<string, TensorInfo>, path: string): Scales {
  if (![...tensors.values()].some(({ dtype }) => dtype.startsWith("F8_"))) return NONE;
  const scales = new Map<string, string>();
  const hidden = new Set(tensors.has(MARK) ? [MARK] : []);
  for (const [name, { shape }] of tensors) {
    const [, stem, what] = /^(.+)\.(scale_weight|weight_scale|scale_input|input_scale|comfy_quant)$/.exec(name) ?? [];
    if (stem === undefined || what === undefined) continue;
    const weight = [`${stem}.weight`, stem].find((candidate) => tensors.has(candidate));
    if (weight === undefined) continue;
    hidden.add(name);
    if (what !== "scale_weight" && what !== "weight_scale") continue;
    if (scales.has(weight)) throw new ModelError(`${path}: ${scales.get(weight)} and ${name} both scale ${weight}`);
    const [rows = 1, ...rest] = shape;
    const of = tensors.get(weight)?.shape[0] ?? 1;
    if ((rows !== 1 && rows !== of) || rest.some((size) => size !== 1))
      throw new ModelError(
        `${path}: ${name} has shape [${shape.join(", ")}], expected one number, or one for each of ${of} rows`,
      );
    scales.set(weight, name);
  }
  return { scales, hidden };
}

/** A weight times its scale. @param what names the scale in errors */
export function scaleRows(tensor: Tensor, scale: Tensor, what: string): Float32Tensor {
  if (tensor.dtype !== "float32" || scale.dtype !== "float32" || !scale.data.every((x) => Number.isFinite(x)))
    throw new ModelError(`${what} must hold finite numbers, and scale numbers`);
  const out = zeros(tensor.shape);
  const row = tensor.data.length / scale.data.length;
  for (let i = 0; i < out.data.length; i++) out.data[i] = tensor.data[i] * scale.data[Math.floor(i / row)];
  return out;
}
