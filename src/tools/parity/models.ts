import { openStableDiffusion } from "../../checkpoints/stable-diffusion.ts";
import { createUnetRunner } from "../../diffusion/unet-runner.ts";
import { createVaeCodec } from "../../diffusion/vae-codec.ts";
import { withResources } from "../../runtime/resources.ts";
import { float32 } from "../../tensor/tensor.ts";
import { floatsOf, inputOf, SESSION, type Solver } from "./case.ts";

/** The U-Net's prediction, in SDXL with its added conditions. */
export const solveUnet: Solver = async (parityCase) => {
  const { unet } = await openStableDiffusion(parityCase.checkpoint);
  const weights = await unet.load();
  return withResources(async (own) => {
    const runner = own(createUnetRunner({ config: unet.config, weights, session: SESSION }));
    const out = await runner.predict({
      sample: floatsOf(parityCase, "sample"),
      timestep: float32(inputOf(parityCase, "timestep").data),
      text: floatsOf(parityCase, "text"),
      added: unet.config.addition && {
        pooled: floatsOf(parityCase, "pooled"),
        timeIds: floatsOf(parityCase, "time_ids"),
      },
    });
    return new Map([["out", out]]);
  });
};

/** Pictures to latents and latents to pictures, both not scaled. */
export const solveVae: Solver = async (parityCase) => {
  const { vae } = await openStableDiffusion(parityCase.checkpoint);
  const weights = await vae.load();
  return withResources(async (own) => {
    const codec = own(createVaeCodec({ config: vae.config, weights, session: SESSION }));
    const { mean, logvar } = await codec.encode(floatsOf(parityCase, "pixels"));
    const decoded = await codec.decode(floatsOf(parityCase, "latents"));
    return new Map(Object.entries({ mean, logvar, decoded }));
  });
};
