import { mean } from "../graph/ops/index.ts";
import type { NoiseSchedule } from "../diffusion/schedule.ts";
import type { UnetConfig } from "../models/unet/config.ts";
import { compile, type Parameters } from "../runtime/compile.ts";
import { dialectOfUnet } from "../runtime/mixed.ts";
import type { Resource } from "../runtime/resources.ts";
import type { SessionOptions } from "../runtime/session-options.ts";
import type { TrainSettings } from "../settings/train-settings.ts";
import { float32 } from "../tensor/tensor.ts";
import { Random } from "../tensor/random.ts";
import { squaredErrors } from "./denoising.ts";
import { buildObjective, type ObjectiveShapes } from "./objective-scope.ts";
import { photoPass } from "./photo-loss.ts";
import type { EncodedPicture } from "./photos.ts";
import { pictureFeeds, textFeeds } from "./picture-feeds.ts";
import type { RunText } from "./run-text.ts";
import type { Trainable } from "./trainable.ts";

/** The denoising loss on the same draws each time it is measured: what rules of stopping watch. */
export interface FixedLoss extends Resource {
  /** With the weights as they are. */
  measure(): Promise<number>;
}

/** Draws of photo, timestep and noise that are measured, from evenly spread timesteps. */
export const FIXED_DRAWS = 8;

export interface FixedLossOptions extends ObjectiveShapes {
  readonly settings: Pick<TrainSettings, "seed" | "noiseOffset" | "resolution">;
  readonly config: UnetConfig;
  readonly trainable: Trainable;
  /** The weights as they train, and what else the graph reads. */
  readonly parameters: Parameters;
  readonly session: SessionOptions;
  readonly schedule: NoiseSchedule;
  readonly scaling: number;
  /** What is denoised: the photos, or one that no step sees. */
  readonly pictures: readonly EncodedPicture[];
  /** Their prompt. */
  readonly text: RunText;
}

export async function openFixedLoss(options: FixedLossOptions): Promise<FixedLoss> {
  const { settings, config, trainable, parameters, session, schedule, pictures, text } = options;
  const losses = buildObjective(
    (scope) => ({ loss: mean(squaredErrors(scope.policy, [photoPass(scope)])[0]) }),
    config,
    trainable,
    options,
  );
  const graph = await compile(losses, { ...session, dialect: dialectOfUnet(session), parameters });
  const draws = Array.from({ length: FIXED_DRAWS }, (_, i) => {
    const timestep = Math.floor(((i + 0.5) / FIXED_DRAWS) * schedule.numTrainTimesteps);
    const rng = new Random(settings.seed).split("fixed loss", i);
    return {
      ...pictureFeeds("ref", pictures[i % pictures.length], timestep, rng, options),
      ...textFeeds({ prompt: text }, settings.resolution),
      timestep: float32([timestep]),
    };
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
