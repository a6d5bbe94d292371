import type { NoiseSchedule } from "../diffusion/schedule.ts";

/**
 * The weight of a timestep's loss by Min-SNR (Hang et al., ICCV 2023, arXiv 2303.09556), with SNR = ᾱ / (1 - ᾱ): min(SNR, γ) / SNR where the model predicts
 * the noise, min(SNR, γ) / (SNR + 1) where it predicts the velocity, as diffusers' scripts have it, and min(SNR, γ) where it predicts the picture.
 */
export function minSnrWeight(
  { alphasCumprod, predictionType }: NoiseSchedule,
  timestep: number,
  gamma: number,
): number {
  const alpha = alphasCumprod[timestep];
  const snr = alpha / (1 - alpha);
  const least = Math.min(snr, gamma);
  switch (predictionType) {
    case "v_prediction":
      return least / (snr + 1);
    case "sample":
      return least;
    case "epsilon":
      // its limit where nothing is left of the picture
      return snr === 0 ? 1 : least / snr;
  }
}
