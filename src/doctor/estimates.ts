import { TRAIN_DEFAULTS } from "../settings/train-settings.ts";

/** How long training would take on a machine, from its speed and what was measured on another. Of the right size, not more. */

/** The machine of docs/speed.md: two cores of an AMD EPYC (Zen 5) with AVX-512. */
export const REFERENCE = {
  /** What unet-forward makes of it; {@link measureSpeed} gave 268 there. */
  gigaflops: 290,
  /** unet-forward on sd15-small, and its operations: a batch of two is a picture's step with guidance. */
  forwardSeconds: 0.212,
  forwardTeraflop: 0.0616,
} as const;

/**
 * Models that people train, with the operations of one pass of the U-Net at the model's own size, and what one LoRA step took on the
 * reference: lora-step on sd15-full, and Stable Diffusion XL's step with `--memory low` (docs/run-cost.md).
 */
export const MODELS = [
  {
    name: "Stable Diffusion 1.5",
    pixels: 512,
    teraflop: 0.803,
    stepSeconds: 17.27,
    memory: "14.2 GB, 8.2 GB with --memory low",
  },
  {
    name: "Stable Diffusion XL",
    pixels: 1024,
    teraflop: 6.76,
    stepSeconds: 198.7,
    memory: "about 16 GB with --memory low",
  },
] as const;

/** Pictures of a run at the defaults: four negatives of each of eight prompts, and eleven validations of as many (docs/run-cost.md). */
const PICTURES = 12 * 8 * TRAIN_DEFAULTS.validationImages;

export interface Estimate {
  readonly model: string;
  readonly pixels: number;
  readonly secondsPerStep: number;
  /** With guidance, in the validation's sampler steps. */
  readonly secondsPerPicture: number;
  /** A LoRA at the defaults that takes all steps. */
  readonly secondsPerRun: number;
  readonly memory: string;
}

/** @param gigaflops what {@link measureSpeed} gave */
export function estimateRuns(gigaflops: number): Estimate[] {
  const slower = REFERENCE.gigaflops / gigaflops;
  return MODELS.map(({ name, pixels, teraflop, stepSeconds, memory }) => {
    const secondsPerStep = stepSeconds * slower;
    const forward = REFERENCE.forwardSeconds * ((2 * teraflop) / REFERENCE.forwardTeraflop) * slower;
    const secondsPerPicture = forward * TRAIN_DEFAULTS.validationSteps;
    return {
      model: name,
      pixels,
      secondsPerStep,
      secondsPerPicture,
      secondsPerRun: TRAIN_DEFAULTS.steps * secondsPerStep + PICTURES * secondsPerPicture,
      memory,
    };
  });
}
