import { zeros } from "../tensor/tensor.ts";
import type { CostEstimate, RunControl } from "./events.ts";
import { negativesNeeded } from "./draws.ts";
import { drawOptions } from "./negatives.ts";
import { textFeeds } from "./pairs.ts";
import type { TrainSettings } from "./settings.ts";
import type { Progress } from "./state.ts";
import type { Studio } from "./studio.ts";
import type { ObjectiveFeeds } from "./trainer.ts";

/** What is left of a run, from one measured training step and one measured picture's step. Changes nothing that training depends on. */
export async function measureCost(
  settings: TrainSettings,
  studio: Studio,
  progress: Progress | undefined,
  control: RunControl,
): Promise<CostEstimate> {
  control.emit({ type: "progress", phase: "measuring", done: 0, total: 2 });
  const secondsPerPictureStep = await studio.measurePictureStep();
  control.emit({ type: "progress", phase: "measuring", done: 1, total: 2 });
  const started = performance.now();
  await studio.trainer.backward(emptyFeeds(studio, settings.resolution));
  const secondsPerStep = (performance.now() - started) / 1000;
  control.emit({ type: "progress", phase: "measuring", done: 2, total: 2 });

  const done = progress?.step ?? 0;
  const negatives =
    settings.preference && progress === undefined
      ? negativesNeeded(settings.steps, drawOptions(settings, studio)).length
      : 0;
  const steps = settings.steps - done;
  const validations = Math.ceil(steps / settings.validateEvery) + (progress === undefined ? 1 : 0);
  const pictures = negatives + validations * studio.prompts.validation.length * settings.validationImages;
  return {
    seconds: steps * secondsPerStep + pictures * settings.validationSteps * secondsPerPictureStep,
    secondsPerStep,
    peakBytes: process.resourceUsage().maxRSS * 1024,
    pictures,
    steps,
  };
}

function emptyFeeds({ photos, prompts, embedding }: Studio, resolution: number): ObjectiveFeeds {
  const latents = zeros([1, ...photos[0].mean.shape]);
  const text = embedding(prompts.plain.text);
  const one = zeros([1]);
  return {
    "ref.noisy": latents,
    "ref.target": latents,
    "gen.noisy": latents,
    "gen.target": latents,
    timestep: one,
    ...textFeeds(text, text, resolution),
    label: one,
  };
}
