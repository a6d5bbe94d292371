/**
 * What the engine of a device has beside the standard operators: an op may be said in one way or another, whichever runs there. Results agree
 * up to rounding.
 */
export interface Dialect {
  /** `com.microsoft.FusedMatMul`: the product of matrices that are transposed and scaled on the way, in batches. */
  readonly fusedMatMul: boolean;
}

export const CPU_DIALECT: Dialect = { fusedMatMul: true };

export const CUDA_DIALECT: Dialect = { fusedMatMul: true };

/** A node that has no kernel there runs on the CPU, between two copies. */
export const WEBGPU_DIALECT: Dialect = { fusedMatMul: false };
