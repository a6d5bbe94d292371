import type { StopReason } from "./events.ts";

/** What ended a run early, or would have: its rule may find that at its last step too. */
const WHY: Readonly<Partial<Record<StopReason, string>>> = {
  patience: "the reward no longer rose",
  loss: "the loss that was watched no longer fell",
};

/**
 * How a run ended that has nothing left to do, in words.
 * @param step its last
 * @param steps how many it was for
 */
export function endInWords(reason: Exclude<StopReason, "interrupted">, step: number, steps: number): string {
  const why = WHY[reason];
  if (step < steps) return `stopped at step ${step}${why === undefined ? "" : `: ${why}`}`;
  return `all ${step} steps are done${why === undefined ? "" : `; ${why}`}`;
}
