/** Mean and deviation, as the paper's tables print them. */
export interface Summary {
  readonly count: number;
  readonly mean: number;
  /** Of the sample (n - 1); unknown of a single value. */
  readonly deviation: number | undefined;
}

/** A mean and the standard error of that mean. */
export interface Estimate {
  readonly mean: number;
  readonly standardError: number;
}

export function summarize(values: readonly number[]): Summary {
  const { count, mean, variance } = moments(values);
  return { count, mean, deviation: count < 2 ? undefined : Math.sqrt(variance) };
}

/** "0.512 ± 0.034"; the mean alone where there is no deviation. */
export function meanAndDeviation({ mean, deviation }: Pick<Summary, "mean" | "deviation">, digits: number): string {
  return `${mean.toFixed(digits)}${deviation === undefined ? "" : ` ± ${deviation.toFixed(digits)}`}`;
}

/** "+.12 ± .03": how a difference that was written as text begins. */
export function signed(difference: number, text: string): string {
  return difference < 0 ? text : `+${text}`;
}

/** NaN of none. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Mean and standard error (deviation / √n) of independent numbers; the error of a single one is 0. */
export function estimate(values: readonly number[]): Estimate {
  const { count, mean, variance } = moments(values);
  return { mean, standardError: count < 2 ? 0 : Math.sqrt(variance / count) };
}

/** The first of the items with the highest value; undefined where none has a value that is a number. */
export function firstHighest<T>(items: readonly T[], valueOf: (item: T) => number): T | undefined {
  let best: { readonly item: T; readonly value: number } | undefined;
  for (const item of items) {
    const value = valueOf(item);
    if (!Number.isNaN(value) && (best === undefined || value > best.value)) best = { item, value };
  }
  return best?.item;
}

/** The variance is the unbiased one, 0 for a single value. */
function moments(values: readonly number[]) {
  const count = values.length;
  const mean = values.reduce((sum, x) => sum + x, 0) / count;
  const squares = values.reduce((sum, x) => sum + (x - mean) ** 2, 0);
  return { count, mean, variance: count < 2 ? 0 : squares / (count - 1) };
}
