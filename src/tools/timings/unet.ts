import { loadFor } from "../../checkpoints/part.ts";
import { openStableDiffusion } from "../../checkpoints/stable-diffusion.ts";
import { createUnetRunner } from "../../diffusion/unet-runner.ts";
import { Random } from "../../tensor/random.ts";
import { float32 } from "../../tensor/tensor.ts";
import type { Work } from "./work.ts";

export const unetForward: Work = async ({ checkpoint, session }) => {
  const { unet } = await openStableDiffusion(checkpoint);
  const { config } = unet;
  const runner = createUnetRunner({ config, weights: await loadFor(session.precision, unet), session });
  const rng = new Random(0);
  const feeds = {
    sample: rng.normal([2, config.inChannels, config.sampleSize, config.sampleSize]),
    timestep: float32([10, 500]),
    text: rng.normal([2, 77, config.crossAttentionDim]),
    added: config.addition && {
      pooled: rng.normal([2, config.addition.inputDim - 6 * config.addition.timeEmbedDim]),
      timeIds: rng.normal([2, 6]),
    },
  };
  return { run: () => runner.predict(feeds), release: () => runner.release() };
};
