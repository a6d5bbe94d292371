import type { Shape } from "../../tensor/tensor.ts";
import { describe, type Value } from "../graph.ts";
import { defineOp, ShapeError, type NoAttributes } from "../op.ts";
import { mul } from "./elementwise.ts";
import { concat, pad, reshape, reverse, shift, sliceAll, transpose } from "./layout.ts";
import { matmul } from "./matrix.ts";
import { sum } from "./reduce.ts";

/** Two-dimensional convolutions and their neighbours, on [B, C, H, W]. */

/** Padding at the top, left, bottom and right. */
export type Padding = readonly [number, number, number, number];

export interface ConvAttributes {
  readonly stride: number;
  readonly padding: Padding;
  readonly groups: number;
}

export interface ConvTransposeAttributes extends ConvAttributes {
  /** Height and width of the result. */
  readonly size: readonly [number, number];
}

export const convolutionOps = {
  // Y = W * X + b; dX = Wᵀ * dY (see inputGradient), dW = dY * X (see weightGradient), db = Σ dY
  conv2d: defineOp<ConvAttributes>({
    infer([x, w, b], { stride, padding: [top, left, bottom, right], groups }) {
      const [batch, channels, height, width] = x.shape;
      const [filters, perGroup, kernelH, kernelW] = w.shape;
      if (x.shape.length !== 4 || w.shape.length !== 4 || perGroup * groups !== channels || filters % groups !== 0)
        throw new ShapeError(`conv2d in ${groups} groups: ${describe(x)} with weights ${describe(w)}`);
      if (b !== undefined && (b.shape.length !== 1 || b.shape[0] !== filters))
        throw new ShapeError(`conv2d: bias ${describe(b)} for ${filters} filters`);
      const out = (size: number, kernel: number, before: number, after: number) =>
        Math.floor((size + before + after - kernel) / stride) + 1;
      return [
        {
          dtype: x.dtype,
          shape: [batch, filters, out(height, kernelH, top, bottom), out(width, kernelW, left, right)],
        },
      ];
    },
    onnx: ({ stride, padding, groups }, [, w]) => ({
      type: "Conv",
      attributes: { kernel_shape: w.shape.slice(2), strides: [stride, stride], pads: padding, group: groups },
    }),
    gradient({ grad, inputs: [x, w, b], attributes, needs }) {
      const dx = needs(0) ? inputGradient(grad, x, w, attributes) : undefined;
      const dw = needs(1) ? weightGradient(grad, x, w, attributes) : undefined;
      return b === undefined ? [dx, dw] : [dx, dw, needs(2) ? sum(grad, [0, 2, 3]) : undefined];
    },
  }),
  // Only in gradients, where it undoes a convolution's shape.
  convTranspose2d: defineOp<ConvTransposeAttributes>({
    infer: ([x, w], { groups, size }) => [{ dtype: x.dtype, shape: [x.shape[0], w.shape[1] * groups, ...size] }],
    onnx({ stride, padding, groups, size }, [x, w]) {
      const [top, left, bottom, right] = padding;
      const extra = (i: 0 | 1, before: number, after: number) =>
        size[i] - ((x.shape[2 + i] - 1) * stride + w.shape[2 + i] - before - after);
      return {
        type: "ConvTranspose",
        attributes: {
          kernel_shape: w.shape.slice(2),
          strides: [stride, stride],
          pads: padding,
          group: groups,
          output_padding: [extra(0, top, bottom), extra(1, left, right)],
        },
      };
    },
    gradient: "not differentiable",
  }),
  // y = each pixel four times; dx = the sum of the four
  upsample2x: defineOp<NoAttributes>({
    infer: ([x]) => [{ dtype: x.dtype, shape: [x.shape[0], x.shape[1], x.shape[2] * 2, x.shape[3] * 2] }],
    onnx: () => ({
      type: "Resize",
      attributes: { mode: "nearest", coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" },
      constants: [{ dtype: "float32", shape: [4], data: Float32Array.of(1, 1, 2, 2) }],
      inputs: [0, "", 1],
    }),
    gradient: ({ grad }) => [mul(averagePool2x(grad), 4)],
  }),
  // y = mean of 2 x 2 pixels; dx = dy / 4 on each
  averagePool2x: defineOp<NoAttributes>({
    infer: ([x]) => [{ dtype: x.dtype, shape: [x.shape[0], x.shape[1], x.shape[2] >> 1, x.shape[3] >> 1] }],
    onnx: () => ({ type: "AveragePool", attributes: { kernel_shape: [2, 2], strides: [2, 2] } }),
    gradient: ({ grad }) => [upsampleNearest2x(mul(grad, 0.25))],
  }),
};

/** From so many pixels of all pictures on, a convolution with flipped weights beats ConvTranspose, though it has to flip them. */
const FLIPPED_PIXELS = 1024;

/** dX of a convolution: a convolution with the kernel flipped and its channels swapped, or ONNX's ConvTranspose. */
function inputGradient(grad: Value, x: Value, w: Value, { stride, padding, groups }: ConvAttributes): Value {
  const [batch, , height, width] = x.shape;
  const [, , kernelH, kernelW] = w.shape;
  const [top, left, bottom, right] = padding;
  const pointwise = kernelH === 1 && kernelW === 1 && stride === 1;
  if (pointwise && groups === 1) return pointwiseInputGradient(grad, x, w);
  if (stride === 1 && groups === 1 && batch * height * width >= FLIPPED_PIXELS) {
    const flipped = transpose(reverse(w, [2, 3]), [1, 0, 2, 3]);
    return conv2d(grad, flipped, undefined, {
      padding: [kernelH - 1 - top, kernelW - 1 - left, kernelH - 1 - bottom, kernelW - 1 - right],
    });
  }
  const [y] = grad.graph.apply("convTranspose2d", [grad, w], { stride, padding, groups, size: [height, width] });
  return y;
}

/** dX = Wᵀ dY at every pixel. */
function pointwiseInputGradient(grad: Value, x: Value, w: Value): Value {
  const [batch, filters, height, width] = grad.shape;
  const [, channels] = w.shape;
  const dx = matmul(reshape(w, [filters, channels]), reshape(grad, [batch, filters, height * width]), { transA: true });
  return reshape(dx, x.shape);
}

/** With more pixels of all pictures than so many a filter, products for taps or columns of taps beat a single one for all. */
const PIXELS_A_FILTER = 2;

/**
 * dW of a convolution: for each tap of the kernel, its gradient times the input as the tap meets it, over all pixels of all pictures.
 * Shifts are shared by rows and columns of taps where input and output are of one size; else each tap takes its slice.
 */
function weightGradient(grad: Value, x: Value, w: Value, attributes: ConvAttributes): Value {
  const [, channels, height, width] = x.shape;
  const [filters, , kernelH, kernelW] = w.shape;
  const [batch, , outH, outW] = grad.shape;
  const { groups, stride } = attributes;
  if (groups === 1) {
    const many = batch * outH * outW > PIXELS_A_FILTER * filters;
    if (many && stride === 1 && outH === height && outW === width && height >= kernelH && width >= kernelW)
      return weightGradientOfSameSize(grad, x, w, attributes);
    return weightGradientOfTaps(grad, x, w, attributes, many);
  }
  if (groups === channels && filters === channels) {
    const sums = taps(x, w, grad.shape, attributes).map((tap) =>
      reshape(sum(mul(tap, grad), [0, 2, 3]), [channels, 1]),
    );
    return reshape(concat(sums, 1), w.shape);
  }
  throw new ShapeError(`conv2d: a weight gradient for ${groups} groups of ${channels} channels is not implemented`);
}

/**
 * Where input and output are of one size, a tap's shift is shared by both: the gradient moves by rows and the input by columns,
 * with zeros for what lies outside. That takes a copy for each row and each column of the kernel instead of one for each tap. The
 * gradient's copies lie one below the other, so that a product serves a whole column of taps. Pictures go last where a batch of
 * them is larger than a row of pixels: the longer the pieces, the faster they are moved.
 */
function weightGradientOfSameSize(grad: Value, x: Value, w: Value, { padding: [top, left] }: ConvAttributes): Value {
  const [filters, channels, kernelH, kernelW] = w.shape;
  const [batch, , height, width] = grad.shape;
  const pixels = batch * height * width;
  const picturesLast = batch > width;
  const arranged = (value: Value) => (picturesLast ? transpose(value, [1, 2, 3, 0]) : channelsFirst(value));
  const [rowAxis, columnAxis] = picturesLast ? [1, 2] : [2, 3];
  const dy = arranged(grad);
  const input = arranged(x);
  const shifted = range(kernelH).map((row) => shift(dy, rowAxis, row - top));
  const rows = reshape(concat(shifted, 0), [kernelH * filters, pixels]);
  const products = range(kernelW).map((column) => {
    const moved = reshape(shift(input, columnAxis, left - column), [channels, pixels]);
    const product = matmul(rows, moved, { transB: true });
    return reshape(product, [kernelH, filters * channels, 1]);
  });
  return reshape(transpose(concat(products, 2), [1, 0, 2]), w.shape);
}

/**
 * The general case. Channels go before pictures on both sides, and taps behind channels: the product then is dW as it lies in memory.
 * With many pixels it is a product a tap, which spares the copy of all slices side by side; with few, that copy is the smaller one.
 */
function weightGradientOfTaps(grad: Value, x: Value, w: Value, attributes: ConvAttributes, many: boolean): Value {
  const [filters, channels] = w.shape;
  const pixels = grad.shape[0] * grad.shape[2] * grad.shape[3];
  const dy = reshape(channelsFirst(grad), [filters, pixels]);
  const slices = taps(channelsFirst(x), w, grad.shape, attributes);
  const product = (columns: Value) => matmul(dy, columns, { transB: true });
  if (many) {
    const each = slices.map((tap) => reshape(product(reshape(tap, [channels, pixels])), [filters * channels, 1]));
    return reshape(concat(each, 1), w.shape);
  }
  const columns = concat(
    slices.map((tap) => reshape(tap, [channels, 1, pixels])),
    1,
  );
  return reshape(product(reshape(columns, [channels * slices.length, pixels])), w.shape);
}

/**
 * The parts of `x`, [_, _, H, W], that each element of a kernel meets, rows first. Shifts along rows come first: what is then taken
 * along columns lies in one piece, which is copied several times as fast.
 */
function taps(x: Value, w: Value, [, , outH, outW]: Shape, { stride, padding }: ConvAttributes): Value[] {
  const [, , kernelH, kernelW] = w.shape;
  const [top, left, bottom, right] = padding;
  const padded = pad(x, [0, 0, top, left], [0, 0, bottom, right]);
  const [first, second, height] = padded.shape;
  const shifted = range(kernelW).map((column) =>
    sliceAll(padded, [0, 0, 0, column], [first, second, height, outW], [1, 1, 1, stride]),
  );
  return range(kernelH).flatMap((row) =>
    shifted.map((part) => sliceAll(part, [0, 0, row, 0], [first, second, outH, outW], [1, 1, stride, 1])),
  );
}

const range = (count: number) => Array.from({ length: count }, (_, i) => i);

/** [B, C, H, W] -> [C, B, H, W], without work where one of the first two is 1. */
function channelsFirst(x: Value): Value {
  const [batch, channels, height, width] = x.shape;
  return batch === 1 || channels === 1 ? reshape(x, [channels, batch, height, width]) : transpose(x, [1, 0, 2, 3]);
}

/** Convolution of [B, C, H, W] with [F, C / groups, KH, KW]; padding is a number for all sides or [top, left, bottom, right]. */
export function conv2d(
  x: Value,
  weight: Value,
  bias: Value | undefined,
  { stride = 1, padding = 0, groups = 1 }: { stride?: number; padding?: number | Padding; groups?: number } = {},
): Value {
  const sides: Padding = typeof padding === "number" ? [padding, padding, padding, padding] : padding;
  const inputs = bias === undefined ? [x, weight] : [x, weight, bias];
  const [y] = x.graph.apply("conv2d", inputs, { stride, padding: sides, groups });
  return y;
}

/** Means of 2 x 2 pixels: [B, C, H, W] -> [B, C, H / 2, W / 2]. */
export function averagePool2x(x: Value): Value {
  const [y] = x.graph.apply("averagePool2x", [x], {});
  return y;
}

/** Each pixel four times: [B, C, H, W] -> [B, C, 2H, 2W], nearest. */
export function upsampleNearest2x(x: Value): Value {
  const [y] = x.graph.apply("upsample2x", [x], {});
  return y;
}
