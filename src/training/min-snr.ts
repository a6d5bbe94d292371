import type { NoiseSchedule } from "../diffusion/schedule.ts";

/**
 * The weight of a timestep's loss by Min-SNR (Hang et al., ICCV 2023, arXiv 2303.09556), with SNR = ᾱ / (1 - ᾱ): min(SNR, γ) / SNR where the model predicts
 * the noise, and min(SNR, γ) / (SNR + 1) where it predicts the velocity, as diffusers' scripts have it.
 */
export function minSnrWeight(
  { alphasCumprod, predictionType }: NoiseSchedule,
  timestep: number,
  gamma: number,
): number {
  const alpha = alphasCumprod[timestep];
  const snr = alpha / (1 - alpha);
  const least = Math.min(snr, gamma);
  return predictionType === "v_prediction" ? least / (snr + 1) : least / snr;
}
