import { mean } from "../graph/ops/index.ts";
import type { NoiseSchedule } from "../diffusion/schedule.ts";
import type { UnetConfig } from "../models/unet/config.ts";
import { compile, type Parameters } from "../runtime/compile.ts";
import { createCompiledCache } from "../runtime/compiled-cache.ts";
import { dialectOfUnet } from "../runtime/mixed.ts";
import type { Resource } from "../runtime/resources.ts";
import type { SessionOptions } from "../runtime/session-options.ts";
import type { TrainSettings } from "../settings/train-settings.ts";
import { float32, type Shape } from "../tensor/tensor.ts";
import { Random } from "../tensor/random.ts";
import { squaredErrors } from "./denoising.ts";
import { buildObjective, type ObjectiveScope, type ObjectiveShapes } from "./objective-scope.ts";
import { photoPass } from "./photo-loss.ts";
import type { PhotoView } from "./photos.ts";
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

export interface FixedLossOptions extends Omit<ObjectiveShapes, "photoSize"> {
  readonly settings: Pick<TrainSettings, "seed" | "noiseOffset" | "resolution">;
  readonly config: UnetConfig;
  readonly trainable: Trainable;
  /** The weights as they train, and what else the graph reads. */
  readonly parameters: Parameters;
  readonly session: SessionOptions;
  readonly schedule: NoiseSchedule;
  readonly scaling: number;
  /** What is denoised: the photos, or one that no step sees. */
  readonly pictures: readonly PhotoView[];
  /** Whether the photos have buckets. */
  readonly hasBuckets: boolean;
  /** Their prompt. */
  readonly text: RunText;
}

export async function openFixedLoss(options: FixedLossOptions): Promise<FixedLoss> {
  const { settings, config, trainable, parameters, session, schedule, pictures, hasBuckets, text } = options;
  const sizes = new Set(pictures.map(({ encoded }) => encoded.mean.shape.join()));
  const dialect = dialectOfUnet(session);
  // several graphs' workspaces would lie beside each other
  const compiling = { ...session, ...(sizes.size > 1 && { workspace: "returned" as const }), dialect, parameters };
  const graphs = createCompiledCache<string>();
  const graphFor = ([, height, width]: Shape) =>
    graphs.get(`${height} ${width}`, () => {
      const photoSize = hasBuckets ? ([height, width] as const) : undefined;
      const objective = (scope: ObjectiveScope) => ({
        loss: mean(squaredErrors(scope.policy, [photoPass(scope)])[0]),
      });
      return compile<string>(buildObjective(objective, config, trainable, { ...options, photoSize }), compiling);
    });
  const draws = Array.from({ length: FIXED_DRAWS }, (_, i) => {
    const timestep = Math.floor(((i + 0.5) / FIXED_DRAWS) * schedule.numTrainTimesteps);
    const rng = new Random(settings.seed).split("fixed loss", i);
    const { encoded, sizes } = pictures[i % pictures.length];
    return {
      shape: encoded.mean.shape,
      feeds: {
        ...pictureFeeds("ref", encoded, timestep, rng, options),
        ...textFeeds({ prompt: text }, settings.resolution),
        ...(sizes !== undefined && { "ref.sizes": sizes }),
        timestep: float32([timestep]),
      },
    };
  });
  for (const { shape } of draws) await graphFor(shape);
  return {
    async measure() {
      let total = 0;
      for (const { shape, feeds } of draws) total += (await (await graphFor(shape)).run(feeds))["loss"].data[0];
      return total / draws.length;
    },
    release: () => graphs.release(),
  };
}
