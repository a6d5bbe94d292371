import type { Random } from "../../tensor/random.ts";

/**
 * The probability that the photo is preferred, by the model of Bradley and Terry on the reward of training, which is the prompt's alone (λ = 0):
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
