import { join } from "node:path";
import { addNoise, trainingTarget } from "../diffusion/schedule.ts";
import { readImage } from "../images/read.ts";
import { writePng } from "../images/write.ts";
import type { Image } from "../images/image.ts";
import { Random } from "../tensor/random.ts";
import { float32 } from "../tensor/tensor.ts";
import { drawOf, negativesNeeded, pictureSeed, type DrawOptions } from "./draws.ts";
import type { RunControl, ScoredImage, StopReason } from "./events.ts";
import { measureCost } from "./cost.ts";
import { drawLatents, encodePicture, keepPhotos, type EncodedPicture } from "./photos.ts";
import { labelOf, preferencePhoto } from "./preference.ts";
import { openRecorder, type Recorder } from "./recorder.ts";
import { startRun } from "./run-config.ts";
import { exists, negativeImagePath, readEvents, validationImagePath } from "./run-folder.ts";
import { bestStep, rewardOf } from "./selection.ts";
import type { TrainRequest, TrainSettings } from "./settings.ts";
import { loadState, readProgress, type Progress } from "./state.ts";
import { openStudio, type Painting, type Studio } from "./studio.ts";
import type { ObjectiveFeeds } from "./trainer.ts";

export interface TrainResult {
  /** "declined": the cost was not accepted, nothing was written. "finished-before": there was nothing left to do. */
  readonly reason: StopReason | "declined" | "finished-before";
  /** The last step. */
  readonly step: number;
  /** The best validation; undefined before the first. */
  readonly best: { readonly step: number; readonly reward: number } | undefined;
}

/** Seconds between saved states of a LoRA between validations; a fine-tuned U-Net's state is large, and saved at validations only. */
const SAVE_EVERY_SECONDS = 60;

/**
 * Trains a subject into a model by RPO: negatives and labels from the starting model, steps on L_sim + L_pref, validation on fixed
 * prompts and noises, early stopping, and the choice of the checkpoint (Miao et al., arXiv 2407.12164, Alg. 1).
 *
 * The run's folder can be continued after a crash at any instant and ends as if it had not been interrupted.
 */
export async function train(
  request: TrainRequest,
  { resume }: { readonly resume: boolean },
  control: RunControl,
): Promise<TrainResult> {
  const progress = resume ? await readProgress(request.output) : undefined;
  if (progress?.finished) return { reason: "finished-before", step: progress.step, best: await bestOf(request) };
  const studio = await openStudio(request, control);
  const { settings } = studio;
  try {
    if (!(await control.confirm(await measureCost(settings, studio, progress, control))))
      return { reason: "declined", step: 0, best: undefined };
    await startRun(settings, studio.provenance, { resume });
    await keepPhotos(settings);
    const recorder = await openRecorder(settings, progress, control, studio.trainer, studio.writeCheckpoint);
    try {
      return await runSteps(settings, studio, recorder, control, progress);
    } catch (error) {
      await recorder.record({
        type: "error",
        step: studio.trainer.optimizer.stepCount,
        message: error instanceof Error ? error.message : String(error),
      });
      throw error;
    } finally {
      await recorder.close();
    }
  } finally {
    await studio.release();
  }
}

async function bestOf({ output, lambda }: TrainRequest): Promise<TrainResult["best"]> {
  return bestStep(
    (await readEvents(output)).filter((event) => event.type === "validation"),
    lambda,
  );
}

/** The loop over steps. @param progress where a saved state stands; undefined for a run that begins */
async function runSteps(
  settings: TrainSettings,
  studio: Studio,
  recorder: Recorder,
  control: RunControl,
  progress: Progress | undefined,
): Promise<TrainResult> {
  const { trainer } = studio;
  const firstStep = progress?.step ?? 0;
  const end = async (reason: StopReason, step: number): Promise<TrainResult> => {
    await recorder.record({ type: "stop", step, reason });
    if (reason !== "interrupted") await recorder.save(step, true);
    return {
      reason,
      step,
      best: recorder.validations.length === 0 ? undefined : bestStep(recorder.validations, settings.lambda),
    };
  };
  if (progress === undefined)
    await recorder.record({ type: "start", time: new Date().toISOString(), version: studio.provenance.versions.rpo });
  // Negatives are the starting model's: they come before a saved state is loaded.
  const negatives = await drawNegatives(settings, studio, recorder, control, progress === undefined);
  if (negatives === undefined) return end("interrupted", firstStep);
  if (progress !== undefined) await loadState(settings.output, trainer.optimizer, progress);

  let saved = performance.now();
  for (let step = firstStep; ; step++) {
    if (step > firstStep) {
      const started = performance.now();
      const { feeds, label } = await pairOf(step, settings, studio, negatives);
      const { sim, pref, margin, gradNorm } = await trainer.step(feeds, settings.learningRate);
      await recorder.record({
        type: "step",
        step,
        sim,
        pref,
        margin: margin[0],
        label,
        gradNorm,
        seconds: (performance.now() - started) / 1000,
      });
      control.emit({ type: "progress", phase: "training", done: step, total: settings.steps });
    }
    if (isValidated(step, settings) && recorder.validations.at(-1)?.step !== step) {
      if (!(await validate(step, settings, studio, recorder, control))) {
        await recorder.save(step);
        return end("interrupted", step);
      }
      if (outOfPatience(recorder, settings)) return end("patience", step);
      if (step < settings.steps) await recorder.save(step);
      saved = performance.now();
    }
    if (step >= settings.steps) return end("steps", step);
    const due = settings.adapter === "lora" && performance.now() - saved > SAVE_EVERY_SECONDS * 1000;
    if (control.shouldStop() || due) {
      await recorder.save(step);
      saved = performance.now();
      if (control.shouldStop()) return end("interrupted", step);
    }
  }
}

function isValidated(step: number, { validateEvery, steps }: TrainSettings): boolean {
  return step % validateEvery === 0 || step === steps;
}

/** Whether the last `patience` validations brought nothing better than one before them. */
function outOfPatience({ validations }: Recorder, { earlyStopping, patience, lambda }: TrainSettings): boolean {
  if (!earlyStopping) return false;
  const best = validations.findIndex(({ step }) => step === bestStep(validations, lambda).step);
  return validations.length - 1 - best >= patience;
}

/** What a negative gives to the steps that use it. */
interface Negative {
  readonly picture: EncodedPicture;
  readonly alignT: number;
}

type Negatives = ReadonlyMap<string, Negative>;

const negativeKey = (prompt: number, index: number) => `${prompt}/${index}`;

/**
 * The starting model's pictures of the training prompts that some step will use. Pictures that an interrupted run had drawn are read
 * again. @returns undefined when interrupted
 */
async function drawNegatives(
  settings: TrainSettings,
  studio: Studio,
  recorder: Recorder,
  control: RunControl,
  fresh: boolean,
): Promise<Negatives | undefined> {
  const negatives = new Map<string, Negative>();
  if (!settings.preference) return negatives;
  const needed = negativesNeeded(settings.steps, drawOptions(settings, studio));
  const missing: (Painting & { path: string })[] = [];
  const jobs = needed.map(({ prompt, negative }) => ({
    key: negativeKey(prompt, negative),
    text: studio.prompts.training[prompt].text,
    rewardText: studio.prompts.training[prompt].rewardText,
    seed: pictureSeed(settings.seed, "negative", prompt, negative),
    path: negativeImagePath(prompt, negative),
  }));
  for (const job of jobs) if (!(await exists(join(settings.output, job.path)))) missing.push(job);
  const painted = await studio.paint(missing, "negatives", async (image, { path }) =>
    writePng(join(settings.output, path), image),
  );
  if (!painted) return undefined;
  for (const { key, rewardText, seed, path } of jobs) {
    const image = await readImage(join(settings.output, path));
    const [{ alignT }] = await studio.scorer.score([image], [rewardText]);
    negatives.set(key, { picture: await encodePicture(image, studio.encode), alignT });
    if (fresh) await recorder.record({ type: "negative", prompt: rewardText, seed, alignT, image: path });
    control.emit({ type: "progress", phase: "encoding", done: negatives.size, total: jobs.length });
    if (control.shouldStop()) return undefined;
  }
  return negatives;
}

function drawOptions(settings: TrainSettings, studio: Studio): DrawOptions {
  return {
    seed: settings.seed,
    photos: studio.photos.length,
    prompts: studio.prompts.training.length,
    negatives: settings.negatives,
  };
}

/** The tensors of one step: a photo, a negative, their noises, one timestep, and the label. */
async function pairOf(
  step: number,
  settings: TrainSettings,
  studio: Studio,
  negatives: Negatives,
): Promise<{ feeds: ObjectiveFeeds; label: number }> {
  const { photo, prompt, negative } = drawOf(step, drawOptions(settings, studio));
  const rng = new Random(settings.seed).split("step", step);
  const { schedule, scaling, prompts } = studio;
  const other = negatives.get(negativeKey(prompt, negative));
  const ref = drawLatents(studio.photos[photo], scaling, rng.split("ref latents"));
  const gen = other === undefined ? ref : drawLatents(other.picture, scaling, rng.split("gen latents"));
  const timesteps = [rng.split("timestep").integer(schedule.numTrainTimesteps)];
  const noise = { ref: rng.split("ref noise").normal(ref.shape), gen: rng.split("gen noise").normal(gen.shape) };
  const modifier = prompts.training[prompt];
  const label =
    other === undefined
      ? 0
      : labelOf(
          preferencePhoto(
            await studio.scorer.photoAlignment(photo, modifier.rewardText),
            other.alignT,
            settings.rewardScale,
          ),
          settings.labels,
          rng.split("label"),
        );
  return {
    label,
    feeds: {
      "ref.noisy": addNoise(schedule, ref, noise.ref, timesteps),
      "ref.target": trainingTarget(schedule, ref, noise.ref, timesteps),
      "gen.noisy": addNoise(schedule, gen, noise.gen, timesteps),
      "gen.target": trainingTarget(schedule, gen, noise.gen, timesteps),
      timestep: float32(timesteps),
      prompt: studio.embedding(prompts.plain.text),
      modifier: studio.embedding(modifier.text),
      label: float32([label]),
    },
  };
}

/** Draws the validation prompts from their fixed noises and scores them. @returns false when interrupted */
async function validate(
  step: number,
  settings: TrainSettings,
  studio: Studio,
  recorder: Recorder,
  control: RunControl,
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
    await writePng(join(settings.output, path), image);
    const [{ alignI, alignT }] = await studio.scorer.score([image], [rewardText]);
    images.push({ prompt: rewardText, seed, alignI, alignT, image: path });
  };
  if (!(await studio.paint(jobs, "validation", scored))) return false;
  control.emit({ type: "progress", phase: "saving", done: 0, total: 1 });
  const { mean, standardError } = rewardOf(images, settings.lambda);
  await recorder.recordValidation({
    type: "validation",
    step,
    lambda: settings.lambda,
    reward: mean,
    standardError,
    images,
  });
  control.emit({ type: "progress", phase: "saving", done: 1, total: 1 });
  return true;
}
