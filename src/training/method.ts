import type { LoadedTextModel } from "../diffusion/text-encoding.ts";
import type { UnetConfig } from "../models/unet/config.ts";
import type { TrainSettings } from "../settings/train-settings.ts";
import type { Weight } from "../tensor/tensor.ts";
import type { TrainingContext } from "./context.ts";
import type { Losses, ObjectiveScope } from "./objective-scope.ts";
import type { RunPrompts } from "./prompts.ts";
import type { DrawnRounds } from "./round.ts";
import type { WantedPicture } from "./wanted-picture.ts";
import type { EncodedStartingPictures, StartingPicture } from "./starting-picture.ts";
import type { Beside, Trainable } from "./trainable.ts";
import type { TrainedTexts } from "./trained-texts.ts";
import type { Feeds } from "./trainer.ts";

/**
 * A way of teaching a model a subject. The loop, the run's folder, validation, early stopping and the choice of the checkpoint are the same for
 * all of them; a method says what trains, by which loss, and what each step sees.
 */
export interface Method {
  /** What trains. Default: what `--adapter` says, see `trainableOf`. */
  readonly trainable?: (settings: TrainSettings, config: UnetConfig, weights: ReadonlyMap<string, Weight>) => Trainable;
  /** What trains of how texts are read, beside what trains of the U-Net. Default: nothing, and texts are read once, before the first step. */
  readonly texts?: (settings: TrainSettings, encoders: readonly LoadedTextModel[]) => TrainedTexts;
  /** What trains beside U-Net and texts, which the objective reads by the names that it has for it. Default: nothing. */
  readonly beside?: (settings: TrainSettings, config: UnetConfig) => Beside;
  /** Why photos have to be squares, where they have to: what the method does, as in "frames photos in squares". Default: they may have buckets. */
  readonly onlySquares?: (settings: Pick<TrainSettings, "positives">) => string | undefined;
  /** Texts that steps are fed beside the run's prompts. */
  readonly moreTexts?: (settings: TrainSettings, prompts: RunPrompts) => readonly string[];
  /** What the starting model draws before the first step, saved in the run's folder. */
  readonly startingPictures?: (settings: TrainSettings, prompts: RunPrompts) => readonly StartingPicture[];
  /**
   * What the model draws after a step (0: before the first) with the weights as they are then, for the steps from there to the next round to
   * learn from; none at most steps. A function of its arguments alone, with the same texts in every round.
   */
  readonly round?: (step: number, settings: TrainSettings, prompts: RunPrompts) => readonly WantedPicture[];
  /** Curves of what a step is compared with the round's own weights in: they are computed when it is drawn, for the steps that follow it. */
  readonly remembered?: (settings: TrainSettings) => readonly string[];
  /** The losses of a step. Every value is a curve of the run, in its events, its report and its logs. */
  readonly objective: (scope: ObjectiveScope, settings: TrainSettings) => Losses;
  /** What step `step` (from 1) is fed: a function of the seed and that number, so that a resumed run goes on as it would have. */
  readonly feeds: (
    step: number,
    context: TrainingContext,
    pictures: EncodedStartingPictures,
    rounds: DrawnRounds,
  ) => StepFeeds | Promise<StepFeeds>;
}

export interface StepFeeds {
  readonly feeds: Feeds;
  /** Index of the photo that the step trains on. */
  readonly photo: number;
  /** The path of the starting model's picture that it uses, if any. */
  readonly startingPicture?: string;
  /** The paths of the last round's pictures that it uses, if any. */
  readonly roundPictures?: readonly string[];
  /** Numbers that belong beside the objective's curves, such as a pair's label. */
  readonly values?: Readonly<Record<string, number>>;
}
