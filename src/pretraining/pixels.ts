import type { Random } from "../tensor/random.ts";
import { zeros, type Float32Tensor } from "../tensor/tensor.ts";
import { FRAME } from "../world/compose.ts";

/** Where a crop lies in its picture, and whether it is flipped left to right. */
export interface Crop {
  readonly left: number;
  readonly top: number;
  readonly flip?: boolean;
}

/**
 * Writes a square of a picture, RGB bytes, to row `item` of `out`, [B, 3, side, side], in [-1, 1]. Beyond the picture its edge goes on.
 */
export function cropInto(
  out: Float32Tensor,
  item: number,
  picture: Uint8Array,
  { left, top, flip = false }: Crop,
): void {
  const side = out.shape[3];
  const inside = (at: number) => Math.min(FRAME - 1, Math.max(0, at));
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) {
      const from = (inside(top + y) * FRAME + inside(left + (flip ? side - 1 - x : x))) * 3;
      for (let channel = 0; channel < 3; channel++)
        out.data[((item * 3 + channel) * side + y) * side + x] = picture[from + channel] / 127.5 - 1;
    }
}

/** How far a picture may be moved, in pixels. */
const SHIFT = 4;

export interface PixelBatchOptions {
  /** Rows of the batch; those beyond the pictures are zero. Default: as many as there are pictures. */
  readonly rows?: number;
  /** Moves each picture a little and turns it into its mirror image half the time. */
  readonly rng?: Random;
}

/** Pictures as RGB bytes -> [rows, 3, 64, 64] in [-1, 1]. */
export function pixelBatch(
  pictures: readonly Uint8Array[],
  { rows = pictures.length, rng }: PixelBatchOptions = {},
): Float32Tensor {
  const out = zeros([rows, 3, FRAME, FRAME]);
  pictures.forEach((picture, item) => {
    const shift = () => (rng === undefined ? 0 : rng.integer(2 * SHIFT + 1) - SHIFT);
    const [left, top] = [shift(), shift()];
    cropInto(out, item, picture, { left, top, flip: rng?.bernoulli(0.5) ?? false });
  });
  return out;
}
