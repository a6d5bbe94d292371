import type { NoiseSchedule } from "../diffusion/schedule.ts";
import type { UnetConfig } from "../models/unet/config.ts";
import { compile, type Parameters } from "../runtime/compile.ts";
import { dialectOfUnet } from "../runtime/mixed.ts";
import type { Resource } from "../runtime/resources.ts";
import type { SessionOptions } from "../runtime/session-options.ts";
import type { TrainSettings } from "../settings/train-settings.ts";
import { Random } from "../tensor/random.ts";
import { squaredErrors } from "./denoising.ts";
import { buildObjective, type ObjectiveShapes } from "./objective-scope.ts";
import { photoFeedsOf, photoLoss, photoPass, weightsOf } from "./photo-loss.ts";
import type { TrainedPhoto } from "./photos.ts";
import type { RunText } from "./run-text.ts";
import type { Trainable } from "./trainable.ts";

/** The denoising loss on the same draws each time it is measured, with captions, masks and weights as it trains: what rules of stopping watch. */
export interface FixedLoss extends Resource {
  /** With the weights as they are. */
  measure(): Promise<number>;
}

/** Draws of photo, timestep and noise that are measured, from evenly spread timesteps. */
export const FIXED_DRAWS = 8;

export interface FixedLossOptions extends ObjectiveShapes {
  readonly settings: Pick<TrainSettings, "seed" | "noiseOffset" | "resolution" | "maskedLoss" | "minSnr">;
  readonly config: UnetConfig;
  readonly trainable: Trainable;
  /** The weights as they train, and what else the graph reads. */
  readonly parameters: Parameters;
  readonly session: SessionOptions;
  readonly schedule: NoiseSchedule;
  readonly scaling: number;
  /** What is denoised, with their texts and weights: the photos, or one that no step sees. */
  readonly photos: readonly TrainedPhoto[];
  readonly embedding: (text: string) => RunText;
}

export async function openFixedLoss(options: FixedLossOptions): Promise<FixedLoss> {
  const { settings, config, trainable, parameters, session, schedule, photos } = options;
  const losses = buildObjective(
    (scope) => ({ loss: photoLoss(scope, squaredErrors(scope.policy, [photoPass(scope)])[0]) }),
    config,
    trainable,
    { ...options, photo: weightsOf(settings) },
  );
  const graph = await compile(losses, { ...session, dialect: dialectOfUnet(session), parameters });
  const draws = Array.from({ length: FIXED_DRAWS }, (_, i) => {
    const timestep = Math.floor(((i + 0.5) / FIXED_DRAWS) * schedule.numTrainTimesteps);
    const rng = new Random(settings.seed).split("fixed loss", i);
    return photoFeedsOf(photos[i % photos.length], timestep, rng, options);
  });
  return {
    async measure() {
      let total = 0;
      for (const draw of draws) total += (await graph.run(draw)).loss.data[0];
      return total / draws.length;
    },
    release: () => graph.release(),
  };
}
