import { rewardsOf, type Validation } from "./choice.ts";
import { estimate, type Estimate } from "./statistics.ts";

/** What a lambda makes of a run's validations. The report's page uses these functions too, when its reader moves the slider. */

/** A validation seen with a lambda. */
export interface Judged {
  readonly step: number;
  readonly reward: Estimate;
  readonly alignI: Estimate;
  readonly alignT: Estimate;
  /** Mean of the differences in reward to the first validation, picture by picture, and its standard error. */
  readonly gain: Estimate;
}

/** Every validation's mean reward at `lambda` and its parts. */
export function judge(validations: readonly Validation[], lambda: number): Judged[] {
  const rewards = validations.map(({ images }) => rewardsOf(images, lambda));
  return validations.map(({ step, images }, v) => ({
    step,
    reward: estimate(rewards[v]),
    alignI: estimate(images.map(({ alignI }) => alignI)),
    alignT: estimate(images.map(({ alignT }) => alignT)),
    gain: estimate(rewards[v].map((reward, i) => reward - rewards[0][i])),
  }));
}

/** Whether a gain is more than twice its standard error. One without an error, as of a single picture, tells nothing. */
export function isSignificant({ mean, standardError }: Estimate): boolean {
  return standardError > 0 && mean > 2 * standardError;
}
