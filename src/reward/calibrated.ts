import { harmonicReward, type Alignment } from "./reward.ts";
import type { Anchors } from "./scale.ts";

/**
 * The calibrated reward: both alignments as parts of a way that the run itself has measured, so that 0 and 1 mean something and the two
 * weigh alike. With I, T the alignments of a validation's pictures, I₀, T₀ those of the starting model from the same noises, I₊ the
 * photos' ALIGN-I with each other and T₋ their ALIGN-T with a picture's prompt:
 *
 *     likeness  = mean(I - I₀) / (I₊ - mean I₀)         0: the starting model, 1: the photos
 *     obedience = 1 + mean(T - T₀) / mean(T₀ - T₋)      1: the starting model, 0: the photos
 *     r         = 1 / (λ / likeness + (1 - λ) / obedience), each kept within .02 and 1
 *
 * The starting model and a model that repeats its photos both get next to nothing. Of means, not picture by picture: single pictures of
 * the starting model are like the photos by luck.
 */
export interface Progress {
  readonly likeness: number;
  readonly obedience: number;
}

/** What is left of a part that is nothing: of a harmonic mean with 0 nothing could be compared. */
const LEAST = 0.02;

/** Below this a scale's ends are not told apart by the reward model, and a part of it would be noise. */
const LEAST_RANGE = 0.01;

/**
 * How far a validation has come.
 * @param start the first validation's, picture by picture
 * @param counts how often each picture counts, for the bootstrap; default: once
 * @returns undefined where the reward does not tell the ends of a scale apart
 */
export function progressOf(
  images: readonly Alignment[],
  start: readonly Alignment[],
  { photosI, pictures }: Anchors,
  counts?: ArrayLike<number>,
): Progress | undefined {
  let [likenessGain, startI, alike] = [0, 0, 0];
  let [textGain, textRange, all] = [0, 0, 0];
  for (const [i, { alignI, alignT }] of images.entries()) {
    const count = counts === undefined ? 1 : counts[i];
    const { photosT, likeness } = pictures[i];
    textGain += count * (alignT - start[i].alignT);
    textRange += count * (start[i].alignT - photosT);
    all += count;
    if (!likeness) continue;
    likenessGain += count * (alignI - start[i].alignI);
    startI += count * start[i].alignI;
    alike += count;
  }
  const imageRange = photosI - startI / alike;
  if (!(imageRange >= LEAST_RANGE && textRange / all >= LEAST_RANGE)) return undefined;
  return { likeness: likenessGain / alike / imageRange, obedience: 1 + textGain / textRange };
}

/** The reward of a progress; NaN of none. */
export function calibratedReward(progress: Progress | undefined, lambda: number): number {
  if (progress === undefined) return NaN;
  const part = (x: number): number => Math.min(1, Math.max(LEAST, x));
  return harmonicReward({ alignI: part(progress.likeness), alignT: part(progress.obedience) }, lambda);
}
