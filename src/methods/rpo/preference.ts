import type { Random } from "../../tensor/random.ts";

/**
 * The probability that the photo is preferred, by the model of Bradley and Terry on the reward of training: in the paper the prompt's alone (λ = 0),
 * P = σ(scale · (r(x_ref, c_mod) - r(x_gen, c_mod))).
 */
export function preferencePhoto(rewardRef: number, rewardGen: number, scale: number): number {
  return 1 / (1 + Math.exp(-scale * (rewardRef - rewardGen)));
}

/**
 * A pair's label y: drawn with probability P, or P itself, which has the same expectation and no variance; or ½, which knows no reward and leaves
 * of the preference that the margin stays near 0.
 */
export function labelOf(probability: number, labels: "sampled" | "soft" | "fixed", rng: Random): number {
  if (labels === "fixed") return 0.5;
  if (labels === "soft") return probability;
  return rng.bernoulli(probability) ? 1 : 0;
}
