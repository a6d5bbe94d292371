/** Symmetric positive definite systems in double precision. */

/** L of A = L Lᵀ. */
export interface Cholesky {
  readonly size: number;
  /** [size, size], row by row; above the diagonal it holds nothing of meaning. */
  readonly lower: Float64Array;
}

/**
 * Factors a symmetric matrix, of which only the lower half is read.
 * @param matrix [size, size], overwritten
 * @returns undefined where it is not positive definite, as far as double precision can tell
 */
export function cholesky(matrix: Float64Array, size: number): Cholesky | undefined {
  const a = matrix;
  for (let j = 0; j < size; j++) {
    const whole = a[j * size + j];
    for (let i = j; i < size; i++) {
      // L_ij = (A_ij - Σ_k<j L_ik L_jk) / L_jj
      let sum = a[i * size + j];
      for (let k = 0; k < j; k++) sum -= a[i * size + k] * a[j * size + k];
      if (i > j) a[i * size + j] = sum / a[j * size + j];
      else if (!(sum > whole * size * Number.EPSILON)) return undefined;
      else a[j * size + j] = Math.sqrt(sum);
    }
  }
  return { size, lower: a };
}

/** x of A x = b, in the place of b. */
export function solveInPlace({ size, lower }: Cholesky, b: Float64Array): Float64Array {
  for (let i = 0; i < size; i++) {
    let sum = b[i];
    for (let k = 0; k < i; k++) sum -= lower[i * size + k] * b[k];
    b[i] = sum / lower[i * size + i];
  }
  for (let i = size - 1; i >= 0; i--) {
    let sum = b[i];
    for (let k = i + 1; k < size; k++) sum -= lower[k * size + i] * b[k];
    b[i] = sum / lower[i * size + i];
  }
  return b;
}
