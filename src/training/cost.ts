import { join } from "node:path";
import { exists } from "../system/files.ts";
import { zeros } from "../tensor/tensor.ts";
import type { CostEstimate, RunControl } from "../runs/events.ts";
import type { ResumePoint } from "../runs/resume-point.ts";
import type { TrainSettings } from "../settings/train-settings.ts";
import type { TrainingContext } from "./context.ts";
import { FIXED_DRAWS } from "./fixed-loss.ts";
import { watchedCurve } from "./stopping.ts";
import type { Feeds } from "./trainer.ts";
import { isValidated } from "./validation.ts";

/**
 * What is left of a run, from one measured training step and one measured picture's step. Changes nothing that training depends on.
 * @param resumePoint where a run that goes on stands
 * @param resume whether starting pictures that are there are the run's own, and need not be drawn again
 */
export async function measureCost(
  context: TrainingContext,
  control: RunControl,
  { resumePoint, resume }: { readonly resumePoint: ResumePoint | undefined; readonly resume: boolean },
): Promise<CostEstimate> {
  const { settings, trainer, prompts } = context;
  control.emit({ type: "progress", phase: "measuring", done: 0, total: 2 });
  const secondsPerPictureStep = await context.measurePictureStep();
  control.emit({ type: "progress", phase: "measuring", done: 1, total: 2 });
  const started = performance.now();
  await trainer.backward(emptyFeeds(context));
  const secondsPerStep = (settings.accumulate * (performance.now() - started)) / 1000;
  control.emit({ type: "progress", phase: "measuring", done: 2, total: 2 });

  const done = resumePoint?.progress.step ?? 0;
  const steps = settings.steps - done;
  const validations = validationsLeft(done, resumePoint?.validations.at(-1)?.step, settings);
  const pictures =
    (await startingPicturesLeft(context, resume)) +
    roundPicturesLeft(context, done, resumePoint?.rounds.at(-1)?.step) +
    validations * prompts.validation.length * settings.validationImages;
  return {
    seconds:
      (steps + watchedSteps(steps, settings)) * secondsPerStep +
      pictures * settings.validationSteps * secondsPerPictureStep,
    secondsPerStep,
    peakBytes: process.resourceUsage().maxRSS * 1024,
    pictures,
    steps,
  };
}

/** How many steps' time it takes to measure the loss that is watched: a pass forward is about a third of a step. */
function watchedSteps(steps: number, settings: TrainSettings): number {
  return watchedCurve(settings) === undefined ? 0 : ((steps / settings.stopEvery) * FIXED_DRAWS) / 3;
}

/**
 * Validations that a run is still to make.
 * @param step where it stands; its own validation may be missing
 * @param validated the last step that was validated; undefined before the first
 */
export function validationsLeft(
  step: number,
  validated: number | undefined,
  settings: Pick<TrainSettings, "validateEvery" | "steps">,
): number {
  let count = 0;
  for (let s = step; s <= settings.steps; s++) if (isValidated(s, settings) && s !== validated) count++;
  return count;
}

/** Starting pictures that are still to be drawn. */
async function startingPicturesLeft({ settings, startingPictures }: TrainingContext, resume: boolean): Promise<number> {
  // taken from a folder, they cost nothing to speak of
  const drawn = startingPictures.filter(({ folder }) => folder === undefined);
  if (!resume) return drawn.length;
  const there = await Promise.all(drawn.map(({ path }) => exists(join(settings.output, path))));
  return there.filter((isThere) => !isThere).length;
}

/** Pictures of the rounds that are still to come. @param drawn the step of the last round that was drawn */
function roundPicturesLeft({ settings, round }: TrainingContext, done: number, drawn = -1): number {
  let count = 0;
  for (let step = done; step < settings.steps; step++) if (step !== drawn) count += round(step).length;
  return count;
}

/** Nothing, in the shapes of a step's inputs. */
function emptyFeeds({ trainer }: TrainingContext): Feeds {
  return Object.fromEntries([...trainer.inputs].map(([name, shape]) => [name, zeros(shape)]));
}
