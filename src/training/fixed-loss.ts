import type { NoiseSchedule } from "../diffusion/schedule.ts";
import type { UnetConfig } from "../models/unet/config.ts";
import { compile, type Parameters } from "../runtime/compile.ts";
import { createCompiledCache } from "../runtime/compiled-cache.ts";
import { dialectOfUnet } from "../runtime/mixed.ts";
import { assemble, type Resource } from "../runtime/resources.ts";
import { inTurn, type SessionOptions } from "../runtime/session-options.ts";
import type { TrainSettings } from "../settings/train-settings.ts";
import type { Shape } from "../tensor/tensor.ts";
import { Random } from "../tensor/random.ts";
import { squaredErrors } from "./denoising.ts";
import { buildObjective, type ObjectiveScope, type ObjectiveShapes } from "./objective-scope.ts";
import { photoFeedsOf, photoLoss, photoPass, photoInputs } from "./photo-loss.ts";
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

export interface FixedLossOptions extends Omit<ObjectiveShapes, "photoSize"> {
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
  /** The prompt of all of them, where they are measured without captions, masks and weights. */
  readonly plain?: string | undefined;
  /** Whether the photos have buckets. */
  readonly hasBuckets: boolean;
  readonly embedding: (text: string) => RunText;
}

/** A photo with another text and without a mask. */
function plainly({ views, ...photo }: TrainedPhoto, text: string): TrainedPhoto {
  return { ...photo, text, views: views.map((view) => ({ ...view, weights: undefined })) };
}

export async function openFixedLoss(options: FixedLossOptions): Promise<FixedLoss> {
  const { config, trainable, parameters, session, schedule, hasBuckets, plain } = options;
  const settings =
    plain === undefined ? options.settings : { ...options.settings, maskedLoss: false, minSnr: undefined };
  const photos = plain === undefined ? options.photos : options.photos.map((photo) => plainly(photo, plain));
  const measured = photos.map((photo) => ({ photo, shape: photo.views[0].encoded.mean.shape }));
  const dialect = dialectOfUnet(session);
  const sizes = new Set(measured.map(({ shape }) => shape.join()));
  const compiling = { ...inTurn(session, sizes.size), dialect, parameters };
  const draws = Array.from({ length: FIXED_DRAWS }, (_, i) => {
    const timestep = Math.floor(((i + 0.5) / FIXED_DRAWS) * schedule.numTrainTimesteps);
    const rng = new Random(settings.seed).split("fixed loss", i);
    const { photo, shape } = measured[i % measured.length];
    return { shape, feeds: photoFeedsOf(photo, timestep, rng, { ...options, settings }) };
  });
  return assemble(async (own, release) => {
    const graphs = own(createCompiledCache<string>());
    const graphFor = ([, height, width]: Shape) =>
      graphs.get(`${height} ${width}`, () => {
        const photoSize = hasBuckets ? ([height, width] as const) : undefined;
        const objective = (scope: ObjectiveScope) => ({
          loss: photoLoss(scope, squaredErrors(scope.policy, [photoPass(scope)])[0]),
        });
        const shapes = { ...options, photoSize, photo: photoInputs(settings) };
        return compile<string>(buildObjective(objective, config, trainable, shapes), compiling);
      });
    for (const { shape } of draws) await graphFor(shape);
    return {
      async measure() {
        let total = 0;
        for (const { shape, feeds } of draws) total += (await (await graphFor(shape)).run(feeds))["loss"].data[0];
        return total / draws.length;
      },
      release,
    };
  });
}
