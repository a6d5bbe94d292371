import type { Alignment } from "../../reward/reward.ts";
import { mean } from "../../reward/statistics.ts";

/** How Customized-GRPO (Huang et al., 2025, arXiv 2510.18263) makes one advantage of two rewards. The numbers are those of its authors' script. */

/** Advantages are clipped to ± this. */
const MOST = 5;

/**
 * Synergy-aware reward shaping: with A_I and A_T the picture's alignments as standard scores within its group,
 *
 *     A = w_I A_I + w_T A_T ± γ tanh(A_I A_T)        + where one of them is positive, - where neither is
 *
 * so that a picture that is good in both gains, and one that is good in one at the cost of the other, or bad in both, loses.
 * @param share the time's weights, from {@link weightsAt}
 */
export function advantageOf(
  picture: Alignment,
  group: readonly Alignment[],
  synergy: number,
  share: { readonly image: number; readonly text: number },
): number {
  const image = standardScore(
    picture.alignI,
    group.map(({ alignI }) => alignI),
  );
  const text = standardScore(
    picture.alignT,
    group.map(({ alignT }) => alignT),
  );
  const sign = image > 0 || text > 0 ? 1 : -1;
  const shaped = share.image * image + share.text * text + sign * synergy * Math.tanh(image * text);
  return Math.min(MOST, Math.max(-MOST, shaped));
}

/** (x - mean) / deviation, the deviation with n - 1; 0 where all values are the same. */
function standardScore(x: number, values: readonly number[]): number {
  const average = mean(values);
  const variance = values.reduce((sum, value) => sum + (value - average) ** 2, 0) / Math.max(1, values.length - 1);
  return (x - average) / (Math.sqrt(variance) + 1e-8);
}

/**
 * Time-aware dynamic weighting: where there is much noise, and layout is decided, the prompt counts more; where there is little, and details
 * are, likeness; at the very end both the same.
 * @param noise how far from the picture, 1 for noise alone: (t + 1) / T
 */
export function weightsAt(noise: number): { readonly image: number; readonly text: number } {
  const step = (1 - noise) * 25; // of the 25 of the authors' sampler
  const text = step < 6 ? 0.7 : step >= 22 ? 0.5 : 0.3 + 0.4 / (1 + Math.exp((step - 10) * 0.8));
  return { image: 1 - text, text };
}
