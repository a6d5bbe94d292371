/** Pillow's antialiased resizing, equal to the integer (Pillow 13, src/libImaging/Resample.c, the 8-bit path). */
import { blankImage } from "./image.ts";
import type { Image, Size } from "./image.ts";

export type Filter = "bilinear" | "bicubic" | "lanczos";

interface Kernel {
  /** The kernel is zero from here on, in units of the wider of the two pixel grids. */
  readonly support: number;
  readonly at: (x: number) => number;
}

const kernels: Record<Filter, Kernel> = {
  bilinear: { support: 1, at: (x) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: { support: 2, at: bicubic },
  lanczos: { support: 3, at: (x) => (-3 <= x && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
};

/** Keys' cubic convolution with a = -0.5. */
function bicubic(signed: number): number {
  const a = -0.5;
  const x = Math.abs(signed);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI);
}

/** `image` in another size, the aspect ratio not kept: `Image.resize((width, height), filter)` of Pillow. */
export function resize(image: Image, { width, height, filter }: Size & { readonly filter: Filter }): Image {
  const kernel = kernels[filter];
  // Each pass rounds to 8 bits, so their order shows in the result. Pillow begins with the rows when that saves much work.
  const rowsRemoved = image.height - height;
  const columnsRemoved = image.width - width;
  if (rowsRemoved > 0 && rowsRemoved > 2 * columnsRemoved)
    return resizeWidth(resizeHeight(image, height, kernel), width, kernel);
  return resizeHeight(resizeWidth(image, width, kernel), height, kernel);
}

/** Fixed-point weights: an output pixel is the weighted sum of `count[i]` input pixels from `first[i]` on. */
interface Weights {
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** `taps` weights for each output pixel. */
  readonly weights: Int32Array;
  readonly taps: number;
}

/** 8 bits are the result's, 2 more hold what filters with negative weights overshoot. */
const PRECISION_BITS = 32 - 8 - 2;
const HALF = 1 << (PRECISION_BITS - 1);

function weightsOf(inSize: number, outSize: number, kernel: Kernel): Weights {
  const scale = inSize / outSize;
  const filterScale = Math.max(scale, 1);
  const support = kernel.support * filterScale;
  const taps = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(outSize);
  const count = new Int32Array(outSize);
  const weights = new Int32Array(outSize * taps);
  const real = new Float64Array(taps);
  for (let i = 0; i < outSize; i++) {
    const center = (i + 0.5) * scale;
    const from = Math.max(0, Math.trunc(center - support + 0.5));
    const n = Math.min(inSize, Math.trunc(center + support + 0.5)) - from;
    let sum = 0;
    for (let j = 0; j < n; j++) {
      const weight = kernel.at((j + from - center + 0.5) * (1 / filterScale));
      real[j] = weight;
      sum += weight;
    }
    for (let j = 0; j < n; j++) {
      const weight = (real[j] / (sum === 0 ? 1 : sum)) * 2 ** PRECISION_BITS;
      weights[i * taps + j] = Math.trunc(weight < 0 ? weight - 0.5 : weight + 0.5);
    }
    first[i] = from;
    count[i] = n;
  }
  return { first, count, weights, taps };
}

// Math.imul and "| 0" keep the arithmetic of these two loops in 32-bit integers, as it is in C.

function resizeWidth(image: Image, width: number, kernel: Kernel): Image {
  if (width === image.width) return image;
  const { first, count, weights, taps } = weightsOf(image.width, width, kernel);
  const out = blankImage({ width, height: image.height });
  const clamped = new Uint8ClampedArray(out.data.buffer);
  const source = image.data;
  for (let y = 0, to = 0; y < image.height; y++) {
    const row = y * image.width * 3;
    for (let x = 0; x < width; x++, to += 3) {
      let red = HALF;
      let green = HALF;
      let blue = HALF;
      let from = row + first[x] * 3;
      const end = x * taps + count[x];
      for (let k = x * taps; k < end; k++, from += 3) {
        const weight = weights[k];
        red = (red + Math.imul(source[from], weight)) | 0;
        green = (green + Math.imul(source[from + 1], weight)) | 0;
        blue = (blue + Math.imul(source[from + 2], weight)) | 0;
      }
      clamped[to] = red >> PRECISION_BITS;
      clamped[to + 1] = green >> PRECISION_BITS;
      clamped[to + 2] = blue >> PRECISION_BITS;
    }
  }
  return out;
}

function resizeHeight(image: Image, height: number, kernel: Kernel): Image {
  if (height === image.height) return image;
  const { first, count, weights, taps } = weightsOf(image.height, height, kernel);
  const out = blankImage({ width: image.width, height });
  const clamped = new Uint8ClampedArray(out.data.buffer);
  const source = image.data;
  const stride = image.width * 3;
  for (let y = 0; y < height; y++) {
    const row = first[y] * stride;
    const begin = y * taps;
    const end = begin + count[y];
    for (let i = 0; i < stride; i++) {
      let sum = HALF;
      for (let k = begin, from = row + i; k < end; k++, from += stride)
        sum = (sum + Math.imul(source[from], weights[k])) | 0;
      clamped[y * stride + i] = sum >> PRECISION_BITS;
    }
  }
  return out;
}
