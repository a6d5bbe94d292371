import { join } from "node:path";
import type { Image } from "../images/image.ts";
import { writePng } from "../images/write.ts";
import { pictureSeed } from "./draws.ts";
import type { AnchorsEvent, ExtraValidations, PromptAnchors, ScoredImage, ValidationEvent } from "../runs/events.ts";
import type { Recorder } from "../runs/recorder.ts";
import { validationImagePath } from "../runs/folder.ts";
import { judge, rewardsAt } from "../reward/judged.ts";
import { scaleOf } from "../runs/scale.ts";
import { ModelError } from "../system/errors.ts";
import { say, setting } from "../system/message.ts";
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
  /** Which subject it is of, where there are several. */
  readonly subject?: number;
  /** What it should show, without the identifier. */
  readonly prompt: string;
  /** What the model reads. */
  readonly text: string;
  readonly promptIndex: number;
  readonly index: number;
  readonly seed: number;
}

/** The pictures of each validation: so many of each validation prompt. */
function evaluationSet({ settings, prompts }: Pick<TrainingContext, "settings" | "prompts">): EvaluationPicture[] {
  return prompts.validation.flatMap(({ text, rewardText, subject }, promptIndex) =>
    Array.from({ length: settings.validationImages }, (_, index) => ({
      ...(subject !== undefined && { subject }),
      prompt: rewardText,
      text,
      promptIndex,
      index,
      seed: pictureSeed(settings.seed, "validation", promptIndex, index),
    })),
  );
}

/** A picture of a validation, and where it is to be in the run's folder. */
export interface PlacedPicture extends EvaluationPicture {
  readonly path: string;
}

/** The pictures of a step's validation, in their order. */
export function validationPictures(
  step: number,
  context: Pick<TrainingContext, "settings" | "prompts">,
): PlacedPicture[] {
  return evaluationSet(context).map((picture) => ({
    ...picture,
    path: validationImagePath(step, picture.promptIndex, picture.index),
  }));
}

/**
 * Draws the validation prompts from their fixed noises and scores them.
 * @param asked what is asked for out of turn; whether this validation is, its step tells
 * @returns false when interrupted
 */
export async function validate(
  step: number,
  context: TrainingContext,
  recorder: Recorder,
  asked?: ExtraValidations,
): Promise<boolean> {
  const { settings, scorer } = context;
  const images: ScoredImage[] = [];
  const score = async (image: Image, { path, ...picture }: PlacedPicture) => {
    const sha256 = await writePng(join(settings.output, path), image);
    const [{ alignI, alignT }] = await scorer.score([image], [picture.prompt], picture.subject);
    images.push({ ...picture, alignI, alignT, image: path, sha256 });
  };
  const pictures = validationPictures(step, context);
  if (!(await context.draw(pictures, { phase: "validation", done: score }))) return false;
  asked?.answered();
  const extra = isValidated(step, settings) ? undefined : true;
  await recorder.recordValidation(judgedValidation({ step, extra, images }, settings, recorder));
  return true;
}

/** A validation with its reward, by both forms. @param before what was validated before, the starting model first @throws ModelError where the run's form tells nothing */
export function judgedValidation(
  { step, extra, images }: Pick<ValidationEvent, "step" | "extra" | "images">,
  { lambda, rewardForm }: Pick<TrainSettings, "lambda" | "rewardForm">,
  { validations, anchors }: Pick<Recorder, "validations" | "anchors">,
): ValidationEvent {
  const draft = { type: "validation", step, lambda, images, reward: 0, standardError: 0 } as const;
  const all = [validations.at(0) ?? draft, draft];
  const [, { reward, progress }] = judge(all, lambda, scaleOf(rewardForm, anchors, all));
  if (!Number.isFinite(reward.mean))
    throw new ModelError(
      say`${setting("rewardForm", rewardForm)}: the reward model tells the photos from the starting model's pictures too little to measure by; use ${setting("rewardForm", "harmonic")}`,
    );
  const { mean, standardError } = reward;
  const marked = { type: "validation", step, ...(extra && { extra }) } as const;
  const head = { ...marked, lambda, reward: mean, standardError };
  if (anchors === undefined || progress === undefined) return { ...head, images };
  const other = scaleOf(rewardForm === "harmonic" ? "calibrated" : "harmonic", anchors, all);
  return {
    ...head,
    form: rewardForm,
    otherReward: rewardsAt(all, lambda, other)[1],
    likeness: progress.likeness.mean,
    obedience: progress.obedience.mean,
    images,
  };
}

/** What the reward says of the photos, before the first validation. */
export async function measureAnchors({
  prompts,
  scorer,
}: Pick<TrainingContext, "prompts" | "scorer">): Promise<AnchorsEvent> {
  const anchors: PromptAnchors[] = [];
  for (const { rewardText, likeness, subject } of prompts.validation)
    anchors.push({ photosT: await scorer.photosAlignment(rewardText, subject), likeness });
  return { type: "anchors", photosI: scorer.photosI, prompts: anchors };
}
