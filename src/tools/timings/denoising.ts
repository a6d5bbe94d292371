import { openStableDiffusion } from "../../checkpoints/stable-diffusion.ts";
import { addNoise, noiseSchedule, trainingTarget } from "../../diffusion/schedule.ts";
import { Graph } from "../../graph/graph.ts";
import { mean, mul, sub } from "../../graph/ops/index.ts";
import { unet } from "../../models/unet/unet.ts";
import { createAdamW } from "../../nn/adamw.ts";
import { rootScope } from "../../nn/scope.ts";
import { assemble } from "../../runtime/resources.ts";
import { compileTraining } from "../../runtime/training.ts";
import { Random } from "../../tensor/random.ts";
import { float32 } from "../../tensor/tensor.ts";
import type { Work } from "./work.ts";

const BATCH = 32;

/** A step of plain denoising on the whole U-Net, what pretraining is made of: `bench/denoise_step.py` does the same in PyTorch. */
export const denoiseStep: Work = async ({ checkpoint, memory, session }) => {
  const { unet: part, scheduler, textEncoders } = await openStableDiffusion(checkpoint);
  const { config } = part;
  const { sampleSize: side, inChannels, crossAttentionDim } = config;
  const schedule = noiseSchedule(scheduler);
  const latents = [BATCH, inChannels, side, side];
  const textShape = [BATCH, textEncoders[0].tokenizer.length, crossAttentionDim];

  const graph = new Graph();
  const predicted = unet(rootScope(graph), config, {
    sample: graph.input("noisy", latents),
    timestep: graph.input("timestep", [BATCH]),
    text: graph.input("text", textShape),
  });
  const difference = sub(predicted, graph.input("target", latents));
  const loss = mean(mul(difference, difference));
  const weights = await part.load();
  const rng = new Random(0);
  return assemble(async (own, release) => {
    const optimizer = own(await createAdamW(weights, session));
    const { parameters, gradients } = optimizer;
    const training = own(await compileTraining({ loss }, { ...session, memory, parameters, gradients }));
    return {
      async run() {
        const [x, noise] = [rng.normal(latents), rng.normal(latents)];
        const timesteps = Array.from({ length: BATCH }, () => rng.integer(schedule.numTrainTimesteps));
        await training.run({
          noisy: addNoise(schedule, x, noise, timesteps),
          target: trainingTarget(schedule, x, noise, timesteps),
          timestep: float32(timesteps),
          text: rng.normal(textShape),
        });
        return optimizer.step({ learningRate: 1e-4 });
      },
      release,
    };
  });
};
