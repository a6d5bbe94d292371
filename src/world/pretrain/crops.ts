import type { Float32Tensor } from "../../tensor/tensor.ts";
import { FRAME } from "../compose.ts";

/** Where a crop lies in its picture, and whether it is flipped left to right. */
export interface Crop {
  readonly left: number;
  readonly top: number;
  readonly flip?: boolean;
}

/** Writes a square of an RGB picture to row `item` of `out`, [B, 3, side, side], in [-1, 1]. */
export function cropInto(
  out: Float32Tensor,
  item: number,
  picture: Uint8Array,
  { left, top, flip = false }: Crop,
): void {
  const side = out.shape[3];
  for (let channel = 0; channel < 3; channel++)
    for (let y = 0; y < side; y++)
      for (let x = 0; x < side; x++) {
        const from = ((top + y) * FRAME + left + (flip ? side - 1 - x : x)) * 3 + channel;
        out.data[((item * 3 + channel) * side + y) * side + x] = picture[from] / 127.5 - 1;
      }
}
