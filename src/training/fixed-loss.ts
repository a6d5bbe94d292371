import type { NoiseSchedule } from "../diffusion/schedule.ts";
import type { UnetConfig } from "../models/unet/config.ts";
import { compile, type Parameters } from "../runtime/compile.ts";
import { createGraphSet, type SetGraph, type SharedRoom } from "../runtime/graph-set.ts";
import { dialectOfUnet } from "../runtime/mixed.ts";
import { assemble, type Resource } from "../runtime/resources.ts";
import { inTurn, type SessionOptions } from "../runtime/session-options.ts";
import type { TrainSettings } from "../settings/train-settings.ts";
import { Random } from "../tensor/random.ts";
import { squaredErrors } from "./denoising.ts";
import { buildObjective, latentName, type ObjectiveScope, type ObjectiveShapes } from "./objective-scope.ts";
import { photoFeedsOf, photoLoss, photoPass, photoInputs } from "./photo-loss.ts";
import type { TrainedPhoto } from "./photos.ts";
import type { RunText } from "./run-text.ts";
import type { Trainable } from "./trainable.ts";
import { MOST_GRAPHS } from "./trainer.ts";

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
  /** With whose graphs its own share the device. */
  readonly room?: SharedRoom | undefined;
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

/** Photos of several subjects, so ordered that each subject comes as often as the others, however many it has. */
export function subjectsInTurn(photos: readonly TrainedPhoto[]): TrainedPhoto[] {
  const groups = new Map<number, TrainedPhoto[]>();
  for (const photo of photos) groups.set(photo.subject ?? 0, [...(groups.get(photo.subject ?? 0) ?? []), photo]);
  if (groups.size === 1) return [...photos];
  const most = Math.max(...[...groups.values()].map(({ length }) => length));
  return Array.from({ length: most }, (_, i) => [...groups.values()].map((own) => own[i % own.length])).flat();
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
  const dialect = dialectOfUnet(session);
  const draws = Array.from({ length: FIXED_DRAWS }, (_, i) => {
    const timestep = Math.floor(((i + 0.5) / FIXED_DRAWS) * schedule.numTrainTimesteps);
    const rng = new Random(settings.seed).split("fixed loss", i);
    const photo = photos[i % photos.length];
    const [, height, width] = photo.views[0].encoded.mean.shape;
    return { size: [height, width] as const, feeds: photoFeedsOf(photo, timestep, rng, { ...options, settings }) };
  });
  const sizes = new Map(draws.map(({ size }) => [latentName(size), size]));
  const compiling = { ...inTurn(session, sizes.size), dialect, parameters };
  const objective = (scope: ObjectiveScope) => ({
    loss: photoLoss(scope, squaredErrors(scope.policy, [photoPass(scope)])[0]),
  });
  const make = async (name: string): Promise<SetGraph> => {
    const photoSize = hasBuckets ? sizes.get(name) : undefined;
    const shapes = { ...options, photoSize, photo: photoInputs(settings) };
    const graph = await compile<string>(buildObjective(objective, config, trainable, shapes), compiling);
    return { run: (feeds, stop) => graph.run(feeds, {}, stop), release: () => graph.release() };
  };
  return assemble(async (own, release) => {
    const graphs = own(createGraphSet(make, MOST_GRAPHS, options.room));
    await graphs.open(latentName(draws[0].size));
    return {
      async measure() {
        let total = 0;
        for (const { size, feeds } of draws) total += (await graphs.run(latentName(size), feeds))["loss"].data[0];
        return total / draws.length;
      },
      release,
    };
  });
}
