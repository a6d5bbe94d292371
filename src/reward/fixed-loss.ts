/** Rules that end a training by a loss on fixed draws, whatever pictures it draws. */

/** A loss on fixed draws of pictures, with the weights as they were after a step. */
export interface Measured {
  readonly step: number;
  readonly loss: number;
}

/** A window of fewer says nothing. */
export const FEWEST = 3;

/**
 * DVAR (Voronov et al., NeurIPS 2023, arXiv 2302.04841): whether the variance of the last steps' losses is below a part of that of all of
 * them. A loss that is computed on the same photos, noises, timesteps and texts each time has no noise of its own, so that it is still once
 * training changes nothing more of it.
 * @param window in steps; before so many are measured training goes on
 */
export function isStill(
  losses: readonly Measured[],
  { window, threshold }: { readonly window: number; readonly threshold: number },
): boolean {
  const [first, last] = [losses.at(0), losses.at(-1)];
  if (first === undefined || last === undefined || last.step - first.step < window) return false;
  const recent = losses.filter(({ step }) => step > last.step - window);
  if (recent.length < FEWEST) return false;
  return variance(recent) < threshold * variance(losses);
}

/** Whether a loss has not fallen below its lowest for `patience` validations. @param validated their steps, those after the start */
export function hasStoppedFalling(
  losses: readonly Measured[],
  { validated, patience }: { readonly validated: readonly number[]; readonly patience: number },
): boolean {
  let lowest: Measured | undefined;
  for (const each of losses) if (lowest === undefined || each.loss < lowest.loss) lowest = each;
  if (lowest === undefined) return false;
  const { step } = lowest;
  return validated.filter((each) => each > step).length >= patience;
}

/** Of the population, as numpy's `var`. */
function variance(losses: readonly Measured[]): number {
  const mean = losses.reduce((sum, { loss }) => sum + loss, 0) / losses.length;
  return losses.reduce((sum, { loss }) => sum + (loss - mean) ** 2, 0) / losses.length;
}
