import { Random } from "../tensor/random.ts";
import { calibratedReward, progressOf, type Progress } from "./calibrated.ts";
import { harmonicReward, type Alignment } from "./reward.ts";
import type { RewardScale, Validation } from "./scale.ts";
import { estimate, summarize, type Estimate } from "./statistics.ts";

/** What a lambda makes of a run's validations. The report's page uses these functions too, when its reader moves the slider. */

/** A validation seen with a lambda. */
export interface Judged {
  readonly step: number;
  readonly reward: Estimate;
  readonly alignI: Estimate;
  readonly alignT: Estimate;
  /** The difference in reward to the first validation, and the standard error of that: both draw from the same noises. */
  readonly gain: Estimate;
  /** How far it has come, and the standard errors of that; of runs that know it. */
  readonly progress?: { readonly likeness: Estimate; readonly obedience: Estimate };
}

/** The reward of every validation at `lambda`, without standard errors. */
export function rewardsAt(validations: readonly Validation[], lambda: number, scale: RewardScale): number[] {
  if (scale.form === "harmonic") return validations.map(({ images }) => estimate(rewardsOf(images, lambda)).mean);
  const { anchors } = scale;
  return validations.map(({ images }) => calibratedReward(progressOf(images, validations[0].images, anchors), lambda));
}

/** The lambda-harmonic reward of each picture. */
function rewardsOf(images: readonly Alignment[], lambda: number): number[] {
  return images.map((image) => harmonicReward(image, lambda));
}

/** Every validation's reward at `lambda` and its parts. */
export function judge(validations: readonly Validation[], lambda: number, scale: RewardScale): Judged[] {
  const { anchors } = scale;
  const start = validations.at(0)?.images ?? [];
  const ways = anchors && validations.map(({ images }) => progressOf(images, start, anchors));
  const redrawn = anchors && bootstrap(validations, (images, counts) => progressOf(images, start, anchors, counts));
  const startRewards = rewardsOf(start, lambda);
  return validations.map(({ step, images }, v) => {
    const alignI = estimate(images.map((image) => image.alignI));
    const alignT = estimate(images.map((image) => image.alignT));
    const [way, draws, startDraws] = [ways?.[v], redrawn?.[v] ?? [], redrawn?.[0] ?? []];
    const progress = way && { likeness: spread(way, draws, "likeness"), obedience: spread(way, draws, "obedience") };
    const common = { step, alignI, alignT, ...(progress && { progress }) };
    if (scale.form === "harmonic") {
      const rewards = rewardsOf(images, lambda);
      return { ...common, reward: estimate(rewards), gain: estimate(rewards.map((r, i) => r - startRewards[i])) };
    }
    const rewards = draws.map((each) => calibratedReward(each, lambda));
    const gains = rewards.map((r, i) => r - calibratedReward(startDraws[i], lambda));
    const mean = calibratedReward(way, lambda);
    return {
      ...common,
      reward: { mean, standardError: deviation(rewards) },
      gain: { mean: mean - calibratedReward(ways?.[0], lambda), standardError: deviation(gains) },
    };
  });
}

/**
 * By how much the reward of validation `a` is above that of `b`, and the standard error of that: both draw from the same noises.
 * @param a, b indices
 */
export function difference(
  validations: readonly Validation[],
  [a, b]: readonly [a: number, b: number],
  lambda: number,
  scale: RewardScale,
): Estimate {
  if (scale.form === "harmonic") {
    const [left, right] = [a, b].map((v) => rewardsOf(validations[v].images, lambda));
    return estimate(left.map((reward, i) => reward - right[i]));
  }
  const start = validations[0].images;
  const rewardOf = (images: readonly Alignment[], counts?: Uint16Array): number =>
    calibratedReward(progressOf(images, start, scale.anchors, counts), lambda);
  const pair = [validations[a], validations[b]];
  const [left, right] = bootstrap(pair, rewardOf);
  return {
    mean: rewardOf(pair[0].images) - rewardOf(pair[1].images),
    standardError: deviation(left.map((reward, i) => reward - right[i])),
  };
}

/** Whether a gain is more than twice its standard error. One without an error, as of a single picture, tells nothing. */
export function isSignificant({ mean, standardError }: Estimate): boolean {
  return standardError > 0 && mean > 2 * standardError;
}

/** Smaller differences in reward are none in the three digits that are shown, and none to look at, be they more than chance or not. */
export const LEAST_REWARD = 0.0005;

/** Whether a difference is as good as none. */
export function isNothing({ mean }: Estimate): boolean {
  return Math.abs(mean) < LEAST_REWARD;
}

/** Draws of the bootstrap: enough for a standard error, and few enough for a slider. */
const DRAWS = 200;

/**
 * The paired bootstrap over pictures (Efron and Tibshirani, 1993, chapter 6): each draw takes the same pictures, with replacement, of
 * every validation.
 */
function bootstrap<T>(
  validations: readonly Validation[],
  of: (images: readonly Alignment[], counts: Uint16Array) => T,
): T[][] {
  const size = validations.at(0)?.images.length ?? 0;
  if (size < 2) return validations.map(() => []);
  const rng = new Random(0).split("bootstrap", size);
  const draws = Array.from({ length: DRAWS }, () => {
    const counts = new Uint16Array(size);
    for (let i = 0; i < size; i++) counts[rng.integer(size)]++;
    return counts;
  });
  return validations.map(({ images }) => draws.map((counts) => of(images, counts)));
}

function spread(way: Progress, draws: readonly (Progress | undefined)[], key: keyof Progress): Estimate {
  return { mean: way[key], standardError: deviation(draws.map((each) => each?.[key] ?? NaN)) };
}

/** Of the numbers among them; 0 of fewer than two. */
function deviation(values: readonly number[]): number {
  return summarize(values.filter(Number.isFinite)).deviation ?? 0;
}
