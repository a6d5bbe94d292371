/**
 * What the engine of a device has and what suits it: ops and gradients may be said in one way or another. Results agree up to rounding.
 */
export interface Dialect {
  /** `com.microsoft.FusedMatMul`: the product of matrices that are transposed and scaled on the way, in batches. */
  readonly fusedMatMul: boolean;
  /** Products are fastest where what they sum over is a multiple of so many elements. */
  readonly lanes: number;
  /** How many of attention's scores the way back computes at a time: the more, the fewer nodes, and the more memory. */
  readonly attentionScores: number;
  /** Whether values are in half precision where that is enough, see halves.ts. The gradients are then those of the loss times {@link LOSS_SCALE}. */
  readonly halves: boolean;
}

/** The input, of shape [], by which the loss is scaled, so that small gradients are no zeros in half precision. */
export const LOSS_SCALE = "loss.scale";

/** The same, with values in half precision. */
export function inHalves(dialect: Dialect): Dialect {
  return { ...dialect, halves: true };
}

/** 16 MB of scores, which the processor's cache nearly holds. */
export const CPU_DIALECT: Dialect = { fusedMatMul: true, lanes: 1, attentionScores: 2 ** 22, halves: false };

/** 128 MB of scores. */
export const CUDA_DIALECT: Dialect = { fusedMatMul: true, lanes: 4, attentionScores: 2 ** 25, halves: false };

/**
 * A node that has no kernel there runs on the CPU, between two copies. Products of rows that are no multiple of vec4 go one element at a time.
 * 128 MB of scores are as much as a WebGPU buffer may have on every GPU.
 */
export const WEBGPU_DIALECT: Dialect = { fusedMatMul: false, lanes: 4, attentionScores: 2 ** 25, halves: false };
