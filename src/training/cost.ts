import { join } from "node:path";
import { exists } from "../system/files.ts";
import { zeros } from "../tensor/tensor.ts";
import { negativesNeeded } from "./draws.ts";
import type { CostEstimate, RunControl } from "../runs/events.ts";
import { drawOptions } from "../methods/rpo/negatives.ts";
import { textFeeds } from "../methods/rpo/feeds.ts";
import type { Past } from "../runs/past.ts";
import { negativeImagePath } from "../runs/folder.ts";
import type { TrainSettings } from "../settings/train-settings.ts";
import type { Studio } from "./context.ts";
import type { ObjectiveFeeds } from "./trainer.ts";
import { isValidated } from "./validation.ts";

/**
 * What is left of a run, from one measured training step and one measured picture's step. Changes nothing that training depends on.
 * @param past where a run that goes on stands
 * @param resume whether negatives that are there are the run's own, and need not be drawn again
 */
export async function measureCost(
  settings: TrainSettings,
  studio: Studio,
  control: RunControl,
  { past, resume }: { readonly past: Past | undefined; readonly resume: boolean },
): Promise<CostEstimate> {
  control.emit({ type: "progress", phase: "measuring", done: 0, total: 2 });
  const secondsPerPictureStep = await studio.measurePictureStep();
  control.emit({ type: "progress", phase: "measuring", done: 1, total: 2 });
  const started = performance.now();
  await studio.trainer.backward(emptyFeeds(studio, settings.resolution));
  const secondsPerStep = (performance.now() - started) / 1000;
  control.emit({ type: "progress", phase: "measuring", done: 2, total: 2 });

  const done = past?.progress.step ?? 0;
  const steps = settings.steps - done;
  const validations = validationsLeft(done, past?.validations.at(-1)?.step, settings);
  const pictures =
    (await negativesLeft(settings, studio, resume)) +
    validations * studio.prompts.validation.length * settings.validationImages;
  return {
    seconds: steps * secondsPerStep + pictures * settings.validationSteps * secondsPerPictureStep,
    secondsPerStep,
    peakBytes: process.resourceUsage().maxRSS * 1024,
    pictures,
    steps,
  };
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

/** Negatives that are still to be drawn. */
async function negativesLeft(settings: TrainSettings, studio: Studio, resume: boolean): Promise<number> {
  if (!settings.preference) return 0;
  const needed = negativesNeeded(settings.steps, drawOptions(settings, studio));
  if (!resume) return needed.length;
  const there = await Promise.all(
    needed.map(({ prompt, negative }) => exists(join(settings.output, negativeImagePath(prompt, negative)))),
  );
  return there.filter((isThere) => !isThere).length;
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
