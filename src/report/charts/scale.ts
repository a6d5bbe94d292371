import { nice, tickIncrement, ticks } from "d3-array";

export type Domain = readonly [low: number, high: number];

/** A linear map from values to coordinates, with ticks at round values. */
export interface Scale {
  /** The values that the axis reaches, widened to ticks unless it was to be exact. */
  readonly domain: Domain;
  readonly range: Domain;
  readonly ticks: readonly number[];
  readonly at: (value: number) => number;
  /** A tick with as many digits as tell it from the next. */
  readonly format: (tick: number) => string;
}

/** @param options about how many ticks; `exact`: whether the axis ends where its domain does */
export function linear(
  values: Domain,
  range: Domain,
  { ticks: count, exact = false }: { readonly ticks: number; readonly exact?: boolean | undefined },
): Scale {
  const [low, high] = exact ? values : nice(values[0], values[1], count);
  // d3-array gives the inverse of a step below 1, negated, so that it is an integer too
  const increment = tickIncrement(low, high, count);
  const digits = increment < 0 ? Math.ceil(Math.log10(-increment)) : 0;
  return {
    domain: [low, high],
    range,
    ticks: ticks(low, high, count),
    at: (value) => range[0] + ((value - low) / (high - low)) * (range[1] - range[0]),
    format: (tick) => tick.toFixed(digits).replace("-", "−"),
  };
}
