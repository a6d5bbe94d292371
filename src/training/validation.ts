import { join } from "node:path";
import type { Image } from "../images/image.ts";
import { writePng } from "../images/write.ts";
import { pictureSeed } from "./draws.ts";
import type { ScoredImage } from "../runs/events.ts";
import type { Recorder } from "../runs/recorder.ts";
import { validationImagePath } from "../runs/folder.ts";
import { rewardOf } from "../reward/choice.ts";
import type { TrainSettings } from "../settings/train-settings.ts";
import type { TrainingContext } from "./context.ts";

/** Whether a step is followed by a validation: the start, every so many steps, and the last. */
export function isValidated(
  step: number,
  { validateEvery, steps }: Pick<TrainSettings, "validateEvery" | "steps">,
): boolean {
  return step % validateEvery === 0 || step === steps;
}

/** A picture that every validation draws, from the same noise. */
interface EvaluationPicture {
  /** What it should show, without the identifier. */
  readonly prompt: string;
  /** What the model reads. */
  readonly text: string;
  readonly promptIndex: number;
  readonly index: number;
  readonly seed: number;
}

/** The pictures of each validation: so many of each validation prompt. */
function evaluationSet({ settings, prompts }: TrainingContext): EvaluationPicture[] {
  return prompts.validation.flatMap(({ text, rewardText }, promptIndex) =>
    Array.from({ length: settings.validationImages }, (_, index) => ({
      prompt: rewardText,
      text,
      promptIndex,
      index,
      seed: pictureSeed(settings.seed, "validation", promptIndex, index),
    })),
  );
}

/** Draws the validation prompts from their fixed noises and scores them. @returns false when interrupted */
export async function validate(step: number, context: TrainingContext, recorder: Recorder): Promise<boolean> {
  const { settings, scorer } = context;
  const images: ScoredImage[] = [];
  const score = async (image: Image, { path, ...picture }: EvaluationPicture & { readonly path: string }) => {
    const sha256 = await writePng(join(settings.output, path), image);
    const [{ alignI, alignT }] = await scorer.score([image], [picture.prompt]);
    images.push({ ...picture, alignI, alignT, image: path, sha256 });
  };
  const pictures = evaluationSet(context).map((picture) => ({
    ...picture,
    path: validationImagePath(step, picture.promptIndex, picture.index),
  }));
  if (!(await context.draw(pictures, { phase: "validation", done: score }))) return false;
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
