import { openStableDiffusion } from "../../checkpoints/stable-diffusion.ts";
import { createUnetRunner } from "../../diffusion/unet-runner.ts";
import { createVaeCodec } from "../../diffusion/vae-codec.ts";
import { float32 } from "../../tensor/tensor.ts";
import { floatsOf, inputOf, SESSION, type Solver } from "./case.ts";

/** The U-Net's prediction, in SDXL with its added conditions. */
export const solveUnet: Solver = async (parityCase) => {
  const { unet } = await openStableDiffusion(parityCase.checkpoint);
  const runner = createUnetRunner({ config: unet.config, weights: await unet.load(), session: SESSION });

  const out = await runner.predict({
    sample: floatsOf(parityCase, "sample"),
    timestep: float32(inputOf(parityCase, "timestep").data),
    text: floatsOf(parityCase, "text"),
    added: unet.config.addition && {
      pooled: floatsOf(parityCase, "pooled"),
      timeIds: floatsOf(parityCase, "time_ids"),
    },
  });
  await runner.release();
  return new Map([["out", out]]);
};

/** Pictures to latents and latents to pictures, both not scaled. */
export const solveVae: Solver = async (parityCase) => {
  const { vae } = await openStableDiffusion(parityCase.checkpoint);
  const codec = createVaeCodec({ config: vae.config, weights: await vae.load(), session: SESSION });
  const { mean, logvar } = await codec.encode(floatsOf(parityCase, "pixels"));
  const decoded = await codec.decode(floatsOf(parityCase, "latents"));
  await codec.release();
  return new Map(Object.entries({ mean, logvar, decoded }));
};
