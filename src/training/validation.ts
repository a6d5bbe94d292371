import { join } from "node:path";
import type { Image } from "../images/image.ts";
import { writePng } from "../images/write.ts";
import { pictureSeed } from "./draws.ts";
import type { ScoredImage } from "../runs/events.ts";
import type { Recorder } from "../runs/recorder.ts";
import { validationImagePath } from "../runs/folder.ts";
import { rewardOf } from "../reward/choice.ts";
import type { TrainSettings } from "../settings/train-settings.ts";
import type { Studio } from "./context.ts";

/** Whether a step is followed by a validation: the start, every so many steps, and the last. */
export function isValidated(
  step: number,
  { validateEvery, steps }: Pick<TrainSettings, "validateEvery" | "steps">,
): boolean {
  return step % validateEvery === 0 || step === steps;
}

/** Draws the validation prompts from their fixed noises and scores them. @returns false when interrupted */
export async function validate(
  step: number,
  settings: TrainSettings,
  studio: Studio,
  recorder: Recorder,
): Promise<boolean> {
  const jobs = studio.prompts.validation.flatMap(({ text, rewardText }, prompt) =>
    Array.from({ length: settings.validationImages }, (_, index) => ({
      text,
      rewardText,
      seed: pictureSeed(settings.seed, "validation", prompt, index),
      path: validationImagePath(step, prompt, index),
    })),
  );
  const images: ScoredImage[] = [];
  const scored = async (image: Image, { rewardText, seed, path }: (typeof jobs)[number]) => {
    const sha256 = await writePng(join(settings.output, path), image);
    const [{ alignI, alignT }] = await studio.scorer.score([image], [rewardText]);
    images.push({ prompt: rewardText, seed, alignI, alignT, image: path, sha256 });
  };
  if (!(await studio.paint(jobs, { phase: "validation", done: scored }))) return false;
  const { mean, standardError } = rewardOf(images, settings.lambda);
  await recorder.recordValidation({
    type: "validation",
    step,
    lambda: settings.lambda,
    reward: mean,
    standardError,
    images,
  });
  return true;
}
