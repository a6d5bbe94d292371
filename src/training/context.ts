import type { NoiseSchedule } from "../diffusion/schedule.ts";
import type { PictureSource } from "../images/image-cache.ts";
import type { Scorer } from "../reward/scorer.ts";
import type { CheckpointWriter } from "../runs/checkpoints.ts";
import type { Provenance } from "../runs/config.ts";
import type { Resource } from "../runtime/resources.ts";
import type { TrainSettings } from "../settings/train-settings.ts";
import type { ImageSampler } from "./image-sampler.ts";
import type { Encoder, TrainedPhoto } from "./photos.ts";
import type { RunPrompts } from "./prompts.ts";
import type { RunText } from "./run-text.ts";
import type { WantedPicture } from "./wanted-picture.ts";
import type { StartingPicture } from "./starting-picture.ts";
import type { Trainer } from "./trainer.ts";

/** All that a run works with, computed once: encoded photos, embedded prompts, compiled graphs, the loaded reward. */
export interface TrainingContext extends ImageSampler, Resource {
  readonly settings: TrainSettings;
  readonly provenance: Provenance;
  readonly photos: readonly TrainedPhoto[];
  /** The photos as they are trained. */
  readonly cuts: readonly PictureSource[];
  /** Which photo a draw (from 1) is of. */
  readonly photoOf: (draw: number) => number;
  readonly prompts: RunPrompts;
  /** What the method wants the starting model to draw. */
  readonly startingPictures: readonly StartingPicture[];
  /** What the method wants drawn after a step. */
  readonly round: (step: number) => readonly WantedPicture[];
  readonly schedule: NoiseSchedule;
  /** Factor from the VAE's latents to the U-Net's. */
  readonly scaling: number;
  readonly scorer: Scorer;
  readonly trainer: Trainer;
  /** What a rule watches that stops by a loss, if one does. */
  readonly fixedLoss: { measure(): Promise<number> } | undefined;
  readonly encode: Encoder;
  readonly writeCheckpoint: CheckpointWriter;
  /** The embedding of a prompt's text, or of a starting picture's. */
  readonly embedding: (text: string) => RunText;
}
