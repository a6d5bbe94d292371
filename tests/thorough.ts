/**
 * Whether every situation is tried: `RPO_TESTS=all npm test`. Otherwise, of situations that are much alike and dear, some are tried, and the
 * others are skipped by name.
 */
export const IS_THOROUGH = process.env["RPO_TESTS"] === "all";

/** Those of `situations` that are tried: all, or every `stride`-th from `first` on. */
export function some<T>(situations: readonly T[], stride: number, first = 0): T[] {
  return situations.filter((_, i) => IS_THOROUGH || i % stride === first % stride);
}
