/** A learning rate that rises, stays, and falls to nothing at the end. */
export interface RateSchedule {
  readonly peak: number;
  /** Steps of the linear rise. */
  readonly warmup: number;
  /** The part of all steps, at the end, over which it falls linearly. */
  readonly decay: number;
}

/** The rate of step `step`, from 1, of `steps`. */
export function learningRateAt(step: number, steps: number, { peak, warmup, decay }: RateSchedule): number {
  const rise = Math.min(1, step / Math.max(1, warmup));
  const fall = decay === 0 ? 1 : Math.min(1, (steps + 1 - step) / (decay * steps));
  return peak * Math.min(rise, fall);
}
