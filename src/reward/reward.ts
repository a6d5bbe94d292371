import { dot, type Feature } from "../tensor/feature.ts";

/** Alignment of one picture: with the reference photos and with its prompt, each in [0, 1]. */
export interface Alignment {
  readonly alignI: number;
  readonly alignT: number;
}

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
  return Math.min(1, Math.max(0, (dot(a, b) + 1) / 2));
}
