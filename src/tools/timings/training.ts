import { loadFor } from "../../checkpoints/part.ts";
import { openStableDiffusion, unetGraph } from "../../checkpoints/stable-diffusion.ts";
import type { SchedulerConfig } from "../../diffusion/config.ts";
import { addNoise, noiseSchedule, trainingTarget } from "../../diffusion/schedule.ts";
import type { UnetConfig } from "../../models/unet/config.ts";
import { ATTENTION_TARGETS, initialLora } from "../../nn/lora.ts";
import { objective } from "../../methods/rpo/objective.ts";
import { pooledFeatures } from "../../training/objective-scope.ts";
import { textFeeds } from "../../training/picture-feeds.ts";
import { trainLora, trainWeights } from "../../training/trainable.ts";
import { createTrainer, type Trainer } from "../../training/trainer.ts";
import { Random } from "../../tensor/random.ts";
import { float32, type Weight } from "../../tensor/tensor.ts";
import type { TimedWork, TimingOptions, Work } from "./work.ts";

const TEXT_LENGTH = 77;

/** The U-Net that a step trains, and how. */
export interface TrainedUnet {
  readonly config: UnetConfig;
  readonly weights: ReadonlyMap<string, Weight>;
  readonly scheduler: SchedulerConfig;
  readonly adapter: "lora" | "full";
}

/** U-Net on (x_ref, x_gen), the same frozen, backward, clipping, AdamW; the plain prompt's pass serves both L_sim and L_pref. */
export function trainingStep(adapter: "lora" | "full"): Work {
  return async ({ checkpoint, ...options }) => {
    const { unet, scheduler } = await openStableDiffusion(checkpoint);
    const weights = await loadFor(options.session.precision, unet, adapter);
    return stepOf({ config: unet.config, weights, scheduler, adapter }, options);
  };
}

/** One such step, on latents of the U-Net's own size. */
export async function stepOf(
  { config, weights, scheduler, adapter }: TrainedUnet,
  { memory, session }: Omit<TimingOptions, "checkpoint">,
): Promise<Omit<TimedWork, "run"> & { readonly run: () => ReturnType<Trainer["step"]> }> {
  const { sampleSize: side, inChannels, crossAttentionDim, addition } = config;
  const schedule = noiseSchedule(scheduler);
  const rng = new Random(0);
  const lora = { rank: 16, alpha: 16, targets: ATTENTION_TARGETS };
  const trainer = await createTrainer({
    config,
    weights,
    trainable:
      adapter === "lora"
        ? trainLora(lora, initialLora(unetGraph(config, lora), rng), { learningRate: 1e-4 })
        : trainWeights(weights, { learningRate: 5e-6 }),
    objective: (scope) => objective(scope, { condition: "prompt", beta: 1, preference: true }),
    batch: 1,
    latentSize: [side, side],
    textLength: TEXT_LENGTH,
    memory,
    session,
  });

  const run = () => {
    const timesteps = [rng.integer(schedule.numTrainTimesteps)];
    const drawSide = () => {
      const [x, noise] = [0, 1].map(() => rng.normal([1, inChannels, side, side]));
      return {
        noisy: addNoise(schedule, x, noise, timesteps),
        target: trainingTarget(schedule, x, noise, timesteps),
      };
    };
    const [ref, gen] = [drawSide(), drawSide()];
    const text = () => ({
      states: rng.normal([TEXT_LENGTH, crossAttentionDim]),
      pooled: addition && rng.normal([pooledFeatures(addition)]),
    });
    const feeds = {
      "ref.noisy": ref.noisy,
      "ref.target": ref.target,
      "gen.noisy": gen.noisy,
      "gen.target": gen.target,
      timestep: float32(timesteps),
      ...textFeeds({ prompt: text(), modifier: text() }, side * 8),
      label: float32([1]),
    };
    return trainer.step(feeds);
  };
  return { run, release: () => trainer.release() };
}
