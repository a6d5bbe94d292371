import type { Image } from "../../images/image.ts";
import { toTensor } from "../../images/pixels.ts";
import { resize } from "../../images/resize.ts";
import type { Random } from "../../tensor/random.ts";
import { zeros, type Float32Tensor } from "../../tensor/tensor.ts";

/** A photo as a step sees it: smaller within a frame, larger and cut, or as it is. */
export interface Framing {
  /** Of the photo's side in pixels: below the picture's it lies in a frame, above it is cut. */
  readonly side: number;
  /** Where it lies in the frame, or where the cut begins. */
  readonly top: number;
  readonly left: number;
  /** What the prompt says of it: "a far away ", or nothing. */
  readonly words: string;
}

/** What is said of small photos, and of large ones. */
export const SMALL_WORDS = ["a far away ", "very small "] as const;
export const LARGE_WORDS = ["zoomed in ", "close up "] as const;

/**
 * Draws a framing as diffusers' script of Custom Diffusion does (`CustomDiffusionDataset`): two of three photos between a third of the picture's
 * side and all of it, the others 1.2 to 1.4 times as large, sides even.
 */
export function drawFraming(size: number, rng: Random): Framing {
  const between = (from: number, below: number) => from + rng.integer(Math.max(1, below - from));
  const drawn =
    rng.uniform() < 0.66
      ? between(Math.floor(size / 3), size + 1)
      : between(Math.floor(1.2 * size), Math.floor(1.4 * size));
  const side = drawn + (drawn % 2);
  const words = side < 0.6 * size ? SMALL_WORDS : side > size ? LARGE_WORDS : [""];
  const room = Math.abs(size - side) + 1;
  return { side, top: rng.integer(room), left: rng.integer(room), words: words[rng.integer(words.length)] };
}

/** A text with what a framing says: "a photo of [V] dog" -> "a far away photo of [V] dog". */
export function framedText(text: string, words: string): string {
  return words === "" ? text : words + text.replace(/^an?\s+/i, "");
}

export interface Framed {
  /** [3, size, size] in [-1, 1], 0 in the frame. */
  readonly pixels: Float32Tensor;
  /** [1, 1, h, w] of the latents: 1 where the photo is and the frame's edge does not reach, 0 elsewhere. */
  readonly mask: Float32Tensor;
}

/**
 * A square photo in its framing. Of a frame's edge one latent inside is left out, as diffusers has it, but for photos so small that none would
 * be left.
 * @param factor pixels of a latent's side
 */
export function frame(square: Image, { side, top, left }: Framing, factor: number): Framed {
  const { width: size } = square;
  const pixels = zeros([3, size, size]);
  const latents = size / factor;
  const mask = zeros([1, 1, latents, latents]);
  const photo = toTensor(side === size ? square : resize(square, { width: side, height: side, filter: "bilinear" }));
  const isCut = side > size;
  const taken = Math.min(side, size);
  for (let channel = 0; channel < 3; channel++)
    for (let y = 0; y < taken; y++) {
      const from = (channel * side + y + (isCut ? top : 0)) * side + (isCut ? left : 0);
      const to = (channel * size + y + (isCut ? 0 : top)) * size + (isCut ? 0 : left);
      pixels.data.set(photo.data.subarray(from, from + taken), to);
    }
  const [rows, columns] = isCut
    ? [
        [0, latents],
        [0, latents],
      ]
    : [top, left].map((start) => inside(start, side, factor));
  for (let y = rows[0]; y < rows[1]; y++) mask.data.fill(1, y * latents + columns[0], y * latents + columns[1]);
  return { pixels, mask };
}

/** The latents from one place to another that a photo fills. */
function inside(start: number, side: number, factor: number): [from: number, to: number] {
  const from = Math.floor(start / factor);
  const to = Math.floor((start + side) / factor);
  return to - from > 2 ? [from + 1, to - 1] : [from, Math.max(to, from + 1)];
}
