import type { Random } from "../../tensor/random.ts";

/**
 * The probability that the photo is preferred (METHOD: Bradley-Terry on the lambda_train reward, lambda_train = 0):
 * P = σ(scale · (r(x_ref, c_mod) - r(x_gen, c_mod))).
 */
export function preferencePhoto(rewardRef: number, rewardGen: number, scale: number): number {
  return 1 / (1 + Math.exp(-scale * (rewardRef - rewardGen)));
}

/** A pair's label y: drawn with probability P, or P itself, which has the same expectation and no variance. */
export function labelOf(probability: number, labels: "sampled" | "soft", rng: Random): number {
  if (labels === "soft") return probability;
  return rng.bernoulli(probability) ? 1 : 0;
}
