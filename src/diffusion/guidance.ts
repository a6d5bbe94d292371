import type { Float32Tensor } from "../tensor/tensor.ts";
import { weightedSum } from "./latents.ts";

/**
 * Classifier-free guidance: uncond + s (cond - uncond). "Classifier-Free Diffusion Guidance", arXiv 2207.12598, eq. 6 with
 * s = 1 + w, as Imagen and diffusers count it: 1 is no guidance. Both outputs [B, C, H, W].
 *
 * @throws RangeError when shapes differ.
 */
export function guide(unconditional: Float32Tensor, conditional: Float32Tensor, guidanceScale: number): Float32Tensor {
  return weightedSum([1 - guidanceScale, unconditional], [guidanceScale, conditional]);
}
