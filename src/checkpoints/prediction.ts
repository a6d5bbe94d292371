import type { SchedulerConfig } from "../diffusion/config.ts";

/** What a U-Net's output means, as people say it: the noise, v, or v on a schedule that ends in noise alone (zero terminal SNR). */
export const PREDICTIONS = ["epsilon", "v", "v-zsnr"] as const;
export type Prediction = (typeof PREDICTIONS)[number];

/**
 * What a scheduler's settings say of it. A schedule of zero terminal SNR has its first step at the last timestep, as it was trained for:
 * "Common Diffusion Noise Schedules and Sample Steps are Flawed", arXiv 2305.08891, sec. 3.
 */
export function schedulerSettings(prediction: Prediction): Readonly<Record<string, unknown>> {
  const isZeroSnr = prediction === "v-zsnr";
  return {
    prediction_type: prediction === "epsilon" ? "epsilon" : "v_prediction",
    rescale_betas_zero_snr: isZeroSnr,
    ...(isZeroSnr && { timestep_spacing: "trailing" }),
  };
}

/** A scheduler's settings with others in their place. */
export function withSettings(config: SchedulerConfig, changes: Readonly<Record<string, unknown>>): SchedulerConfig {
  return { ...config, values: { ...config.values, ...changes } };
}
