/**
 * The factor on a loss whose gradients are computed in half precision, in which small ones would be zero: as large as gradients stay finite
 * with (Micikevicius et al., arXiv 1710.03740, section 3.2), found as torch.amp.GradScaler finds it, with its defaults.
 */
export interface LossScale {
  /** A power of two. */
  readonly factor: number;
  /** Steps in a row whose gradients were finite, since the factor last changed. */
  readonly goodSteps: number;
  /** Steps that were passed over, because their gradients were not. */
  readonly skipped: number;
}

export const FIRST_LOSS_SCALE: LossScale = { factor: 2 ** 16, goodSteps: 0, skipped: 0 };

/** Good steps in a row after which the factor doubles. */
export const GROWTH_INTERVAL = 2000;

/** The factor after a step: half of it where gradients overflowed, for that step is passed over. It grows no further than float32 reaches. */
export function nextLossScale({ factor, goodSteps, skipped }: LossScale, isFinite: boolean): LossScale {
  if (!isFinite) return { factor: factor / 2, goodSteps: 0, skipped: skipped + 1 };
  const isDue = goodSteps + 1 === GROWTH_INTERVAL;
  const grows = isDue && Number.isFinite(Math.fround(factor * 2));
  return { factor: grows ? factor * 2 : factor, goodSteps: isDue ? 0 : goodSteps + 1, skipped };
}
