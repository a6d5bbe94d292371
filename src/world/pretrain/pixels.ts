import type { Random } from "../../tensor/random.ts";
import { zeros, type Float32Tensor } from "../../tensor/tensor.ts";
import { FRAME } from "../compose.ts";

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
  const inside = (at: number) => Math.min(FRAME - 1, Math.max(0, at));
  pictures.forEach((picture, item) => {
    const shift = () => (rng === undefined ? 0 : rng.integer(2 * SHIFT + 1) - SHIFT);
    const [dx, dy] = [shift(), shift()];
    const flip = rng?.bernoulli(0.5) ?? false;
    for (let y = 0; y < FRAME; y++)
      for (let x = 0; x < FRAME; x++) {
        const from = (inside(y + dy) * FRAME + inside((flip ? FRAME - 1 - x : x) + dx)) * 3;
        for (let channel = 0; channel < 3; channel++)
          out.data[((item * 3 + channel) * FRAME + y) * FRAME + x] = picture[from + channel] / 127.5 - 1;
      }
  });
  return out;
}
