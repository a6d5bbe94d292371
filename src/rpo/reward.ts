/** Alignment of one picture: with the reference photos and with its prompt, each in [0, 1]. */
export interface Alignment {
  readonly alignI: number;
  readonly alignT: number;
}

/** Features of pictures and texts in ALIGN's space, of unit length. */
export type Feature = Float32Array;

/**
 * The lambda-harmonic reward (Miao et al., arXiv 2407.12164, Eq. 5): r = 1 / (lambda / ALIGN-I + (1 - lambda) / ALIGN-T).
 * A picture that fails in one of the two is not saved by the other. 0 where a weighted part is 0.
 */
export function harmonicReward({ alignI, alignT }: Alignment, lambda: number): number {
  return 1 / ((lambda === 0 ? 0 : lambda / alignI) + (lambda === 1 ? 0 : (1 - lambda) / alignT));
}

/** ALIGN-I: the mean of (cos + 1) / 2 with the reference photos. */
export function alignImage(picture: Feature, references: readonly Feature[]): number {
  return references.reduce((sum, reference) => sum + similarity(picture, reference), 0) / references.length;
}

/** ALIGN-T: (cos + 1) / 2 with the prompt. */
export function alignText(picture: Feature, text: Feature): number {
  return similarity(picture, text);
}

/** (cos + 1) / 2 of two features of unit length, kept in [0, 1] against rounding. */
function similarity(a: Feature, b: Feature): number {
  let dot = 0;
  for (let i = 0; i < a.length; i++) dot += a[i] * b[i];
  return Math.min(1, Math.max(0, (dot + 1) / 2));
}

/** A mean and the standard error of that mean. */
export interface Estimate {
  readonly mean: number;
  readonly standardError: number;
}

/** Mean and standard error (deviation / √n, unbiased) of independent numbers; the error of a single one is 0. */
export function estimate(values: readonly number[]): Estimate {
  const n = values.length;
  const mean = values.reduce((sum, x) => sum + x, 0) / n;
  if (n < 2) return { mean, standardError: 0 };
  const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (n - 1);
  return { mean, standardError: Math.sqrt(variance / n) };
}
