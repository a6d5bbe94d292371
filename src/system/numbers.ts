import { z } from "zod";

/** Numbers in outside data, with their limits: what is read is added up, drawn and allocated. Messages say what was expected and what came. */

/** A finite number. */
export function numberFrom(least: number, most: number) {
  const error = expecting(`a number from ${least} to ${most}`);
  return z.number(error).min(least, error).max(most, error);
}

export function wholeFrom(least: number, most: number) {
  const error = expecting(
    most === Number.MAX_SAFE_INTEGER ? `a whole number of ${least} or more` : `a whole number from ${least} to ${most}`,
  );
  return z.int(error).min(least, error).max(most, error);
}

export function numberAbove(limit: number) {
  const error = expecting(`a number above ${limit}`);
  return z.number(error).gt(limit, error);
}

/**
 * Of any measured number, such as a loss or seconds: sums and squares of a million of them stay finite, and every float32 is below it.
 */
const MOST_MEASURED = 1e50;

export const measured = numberFrom(-MOST_MEASURED, MOST_MEASURED);

/** A measured number that cannot be below 0. */
export const amount = numberFrom(0, MOST_MEASURED);

/** How far rounding may carry a number beyond its limits; such a number is set to the limit. */
const ROUNDING = 1e-6;

/** A number between two limits, give or take {@link ROUNDING}. */
function rounded(least: number, most: number) {
  const error = expecting(`a number from ${least} to ${most}`);
  return z
    .number(error)
    .min(least - ROUNDING, error)
    .max(most + ROUNDING, error)
    .transform((x) => Math.min(most, Math.max(least, x)));
}

/** Such as an alignment, a reward or a rate. */
export const share = rounded(0, 1);

/** A cosine similarity. */
export const cosine = rounded(-1, 1);

/** 1 less a cosine similarity. */
export const distance = rounded(0, 2);

function expecting(what: string) {
  return { error: ({ input }: { readonly input?: unknown }) => `expected ${what}, got ${show(input)}` };
}

function show(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "string") return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}...` : value);
  // not as JSON, which makes null of Infinity
  if (typeof value === "number") return String(value);
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "a list" : "an object";
  return JSON.stringify(value);
}
