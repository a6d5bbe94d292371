import { UsageError } from "../system/errors.ts";
import { say, setting } from "../system/message.ts";
import type { TrainSettings } from "../settings/train-settings.ts";
import { float32, float32Array, type Tensor } from "../tensor/tensor.ts";
import type { TrainingContext } from "./context.ts";
import type { Method, StepFeeds } from "./method.ts";
import type { DrawnRounds } from "./round.ts";
import type { EncodedStartingPictures } from "./starting-picture.ts";
import type { Feeds } from "./trainer.ts";

/**
 * Steps of several photos. Each photo of a step is fed what a step of it alone would be: the draws of a training are dealt in the same order,
 * `batch` · `accumulate` of them a step. So a step is the mean of so many single ones.
 */

/** Photos of a step. */
export function photosAStep({ batch, accumulate }: Pick<TrainSettings, "batch" | "accumulate">): number {
  return batch * accumulate;
}

/** Draws of a whole training: as many as steps of one photo each would take. */
export function drawsOf(settings: Pick<TrainSettings, "steps" | "batch" | "accumulate">): number {
  return settings.steps * photosAStep(settings);
}

/** What a step is fed, one batch after the other, with what its event says. */
export interface BatchedFeeds extends Omit<StepFeeds, "feeds"> {
  readonly feeds: readonly Feeds[];
  /** All photos of the step, where there are several. */
  readonly photos?: readonly number[];
  /** All starting pictures that it uses, where there are several photos. */
  readonly startingPictures?: readonly string[];
}

/** Step `step` (from 1): a function of the seed and that number. */
export async function batchedFeeds(
  method: Method,
  step: number,
  context: TrainingContext,
  pictures: EncodedStartingPictures,
  rounds: DrawnRounds,
): Promise<BatchedFeeds> {
  const { batch, accumulate } = context.settings;
  const count = batch * accumulate;
  const first = (step - 1) * count + 1;
  const all: StepFeeds[] = [];
  for (let i = 0; i < count; i++) all.push(await method.feeds(first + i, context, pictures, rounds));
  if (count === 1) return { ...all[0], feeds: [all[0].feeds] };
  const feeds = Array.from({ length: accumulate }, (_, i) =>
    joined(all.slice(i * batch, (i + 1) * batch).map((each) => each.feeds)),
  );
  const starting = all.flatMap(({ startingPicture }) => startingPicture ?? []);
  return {
    feeds,
    photo: all[0].photo,
    photos: all.map(({ photo }) => photo),
    ...(starting.length > 0 && { startingPictures: starting }),
    values: meanValues(all),
  };
}

/** Inputs of one picture each, one below the other. */
export function joined(feeds: readonly Feeds[]): Feeds {
  if (feeds.length === 1) return feeds[0];
  return Object.fromEntries(Object.keys(feeds[0]).map((name) => [name, stacked(feeds.map((each) => each[name]))]));
}

/** Several [1, ...] -> [n, ...] */
function stacked(tensors: readonly Tensor[]): Tensor {
  const [{ shape }] = tensors;
  const size = tensors[0].data.length;
  const data = float32Array(size * tensors.length);
  tensors.forEach((tensor, i) => data.set(tensor.data, i * size));
  return float32(data, [shape[0] * tensors.length, ...shape.slice(1)]);
}

function meanValues(all: readonly StepFeeds[]): Record<string, number> {
  const names = Object.keys(all[0].values ?? {});
  return Object.fromEntries(
    names.map((name) => [name, all.reduce((sum, { values }) => sum + (values?.[name] ?? 0), 0) / all.length]),
  );
}

/** @throws UsageError where a method learns from rounds of pictures, whose steps have one photo each */
export function checkBatches(
  { round }: Pick<Method, "round">,
  settings: Pick<TrainSettings, "batch" | "accumulate" | "method">,
): void {
  const name = settings.batch > 1 ? "batch" : "accumulate";
  if (round !== undefined && photosAStep(settings) > 1)
    throw new UsageError(
      say`${setting(name, settings[name])}: ${setting("method", settings.method)} learns from one photo a step; leave it out`,
    );
}

/** @throws UsageError where a method makes the photos' texts and views itself, as those that learn a word do */
export function checkOwnData(
  { texts }: Pick<Method, "texts">,
  settings: Pick<TrainSettings, "captions" | "flip" | "maskedLoss" | "method">,
): void {
  if (texts === undefined) return;
  const { captions, flip, maskedLoss } = settings;
  const wanted = Object.entries({ captions: captions !== "off", flip, maskedLoss }).find(([, isWanted]) => isWanted);
  if (wanted !== undefined)
    throw new UsageError(
      say`${setting(wanted[0])}: ${setting("method", settings.method)} learns a word, from photos and texts of its own making; leave it out`,
    );
}
