import { denoiseStep } from "./denoising.ts";
import { drawing } from "./drawing.ts";
import { reward } from "./reward.ts";
import { trainingStep } from "./training.ts";
import { unetForward } from "./unet.ts";
import type { Work } from "./work.ts";

/**
 * The works, on a diffusers folder at its own sample size (reward: on an ALIGN folder). Each does what the peer's PyTorch program of
 * the same name does, and draws its inputs anew in every run as that does.
 */
export const works = {
  /** A batch of 2, no gradient. */
  "unet-forward": unetForward,
  /** 2 pictures, 10 steps of DPM-Solver++, guidance 7.5: text encoders, U-Net and VAE. */
  sample: drawing,
  /** One RPO step with a LoRA of rank 16 on the attention projections. */
  "lora-step": trainingStep("lora"),
  /** One RPO step on the whole U-Net, with a frozen copy of it. */
  "full-step": trainingStep("full"),
  /** One step of plain denoising on the whole U-Net, a batch of 32. */
  "denoise-step": denoiseStep,
  /** ALIGN features of 16 pictures of 512 x 512 pixels and 4 references, and of one prompt. */
  reward,
} satisfies Record<string, Work>;

export type WorkName = keyof typeof works;
