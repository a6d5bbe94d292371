import type { Random } from "../tensor/random.ts";

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/**
 * The percentile bootstrap's interval of the mean (Efron and Tibshirani, 1993, section 13.3), over independent groups, such as subjects, each of
 * which may have several values (seeds) that stay together.
 *
 * @returns undefined for fewer than two groups
 */
export function bootstrapMean(
  groups: readonly (readonly number[])[],
  rng: Random,
  { draws = 2000, level = 0.95 }: { draws?: number; level?: number } = {},
): Interval | undefined {
  if (groups.length < 2) return undefined;
  const totals = groups.map((group) => ({ sum: group.reduce((a, b) => a + b, 0), count: group.length }));
  const means = Array.from({ length: draws }, () => {
    let [sum, count] = [0, 0];
    for (let i = 0; i < totals.length; i++) {
      const drawn = totals[rng.integer(totals.length)];
      sum += drawn.sum;
      count += drawn.count;
    }
    return sum / count;
  }).sort((a, b) => a - b);
  return { low: quantile(means, (1 - level) / 2), high: quantile(means, (1 + level) / 2) };
}

/** The value below which `share` of the sorted values lie, interpolated as NumPy does by default. */
export function quantile(sorted: readonly number[], share: number): number {
  const position = share * (sorted.length - 1);
  const below = Math.floor(position);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
}
