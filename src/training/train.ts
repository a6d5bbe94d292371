import { withResources } from "../runtime/resources.ts";
import { UsageError } from "../system/errors.ts";
import { makeFolder } from "../system/files.ts";
import { lockFolder } from "../system/lock.ts";
import { measureCost } from "./cost.ts";
import type { RunControl, StopReason, WrittenPicture } from "../runs/events.ts";
import { drawNegatives } from "../methods/rpo/negatives.ts";
import { isOutOfPatience } from "../reward/patience.ts";
import { pairOf } from "../methods/rpo/feeds.ts";
import { keepPhotos } from "./photos.ts";
import { openRecorder, type Recorder } from "../runs/recorder.ts";
import { startRun } from "../runs/config.ts";
import { readPast, type Past } from "../runs/past.ts";
import { holdsRun } from "../runs/folder.ts";
import { endWhatWasBegun, repairRun, RUN_LOCK } from "../runs/repair.ts";
import { checkTrained } from "../checkpoints/trained-files.ts";
import { readBest } from "../runs/best.ts";
import { bestStep, type Best } from "../reward/choice.ts";
import type { TrainRequest, TrainSettings } from "../settings/train-settings.ts";
import { loadState, openState } from "../runs/state.ts";
import { openStudio, type Studio } from "./context.ts";
import { isValidated, validate } from "./validation.ts";

export interface TrainResult {
  /** "declined": the cost was not accepted, nothing was written. "finished-before": there was nothing left to do. */
  readonly reason: StopReason | "declined" | "finished-before";
  /** The last step. */
  readonly step: number;
  /** The best validation; undefined before the first. */
  readonly best: Best | undefined;
}

/** Seconds between saved states of a LoRA between validations; a fine-tuned U-Net's state is large, and saved at validations only. */
const SAVE_EVERY_SECONDS = 60;

/**
 * Trains a subject into a model by RPO: negatives and labels from the starting model, steps on L_sim + L_pref, validation on fixed
 * prompts and noises, early stopping, and the choice of the checkpoint (Miao et al., arXiv 2407.12164, Alg. 1).
 *
 * The run's folder can be continued after a crash at any instant and ends as if it had not been interrupted.
 * @param open what the run works with; tests of the folder have something without models
 */
export async function train(
  request: TrainRequest,
  { resume }: { readonly resume: boolean },
  control: RunControl,
  open: typeof openStudio = openStudio,
): Promise<TrainResult> {
  return withResources(async (own) => {
    const run = request.output;
    const lock = async () => own({ release: await lockFolder(run, RUN_LOCK) });
    if (resume) {
      // A finished run may lie where nobody can write.
      if ((await openState(run).catch(() => undefined))?.progress.finished === true) await repairRun(run);
      else {
        await lock();
        await endWhatWasBegun(run);
      }
    }
    const past = resume ? await readPast(run, control) : undefined;
    if (past?.progress.finished === true) {
      const chosen = await readBest(run);
      if (chosen !== undefined) await checkTrained(chosen);
      return { reason: "finished-before", step: past.progress.step, best: bestStep(past.validations, request.lambda) };
    }
    const studio = own(await open(request, control, { resume }));
    const { settings, trainer, writeCheckpoint } = studio;
    if (!(await control.confirm(await measureCost(settings, studio, control, { past, resume }))))
      return { reason: "declined", step: 0, best: undefined };
    if (!resume) {
      await makeFolder(settings.output);
      await lock();
      if (await holdsRun(settings.output))
        throw new UsageError(`--output ${settings.output}: another run has begun there; choose another folder`);
      await startRun(settings, studio.provenance);
    }
    const photos = await keepPhotos(settings, past?.pictures ?? new Map());
    const recorder = await openRecorder({ settings, past, control, trainer, writeCheckpoint });
    try {
      return await runSteps(settings, studio, recorder, control, { past, photos, resume });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      // a full disk takes no event either; the first error is the one to report
      await recorder
        .record({ type: "error", step: Math.max(past?.progress.step ?? 0, trainer.optimizer.stepCount), message })
        .catch(() => undefined);
      throw error;
    } finally {
      await recorder.close();
    }
  });
}

/** The loop over steps. `past` is undefined in a run that has no state yet, be it new or resumed. */
async function runSteps(
  settings: TrainSettings,
  studio: Studio,
  recorder: Recorder,
  control: RunControl,
  {
    past,
    photos,
    resume,
  }: { readonly past: Past | undefined; readonly photos: readonly WrittenPicture[]; readonly resume: boolean },
): Promise<TrainResult> {
  const { trainer } = studio;
  const firstStep = past?.progress.step ?? 0;
  const end = async (reason: StopReason, step: number): Promise<TrainResult> => {
    await recorder.record({ type: "stop", step, reason });
    if (reason !== "interrupted") await recorder.save(step, true);
    return { reason, step, best: bestStep(recorder.validations, settings.lambda) };
  };
  if (past === undefined)
    await recorder.record({
      type: "start",
      time: new Date().toISOString(),
      version: studio.provenance.versions.rpo,
      photos,
    });
  // Negatives are the starting model's: they come before a saved state is loaded.
  const negatives = await drawNegatives(settings, studio, recorder, control, {
    reuse: resume,
    record: past === undefined,
    known: past?.pictures ?? new Map(),
  });
  if (negatives === undefined) return end("interrupted", firstStep);
  if (past !== undefined) await loadState(past, trainer.optimizer);

  let savedAt = performance.now();
  for (let step = firstStep; ; step++) {
    if (step > firstStep) {
      const started = performance.now();
      const { feeds, label } = await pairOf(step, settings, studio, negatives);
      const { sim, pref, margin, gradNorm } = await trainer.step(feeds, settings.learningRate);
      if (!Number.isFinite(sim + pref + margin[0] + gradNorm)) throw diverged(step, settings);
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
      if (!(await validate(step, settings, studio, recorder))) {
        await recorder.save(step);
        return end("interrupted", step);
      }
      if (outOfPatience(recorder, settings)) return end("patience", step);
      if (step < settings.steps) await recorder.save(step);
      savedAt = performance.now();
    }
    if (step >= settings.steps) return end("steps", step);
    const due = settings.adapter === "lora" && performance.now() - savedAt > SAVE_EVERY_SECONDS * 1000;
    if (control.shouldStop() || due) {
      await recorder.save(step);
      savedAt = performance.now();
      if (control.shouldStop()) return end("interrupted", step);
    }
  }
}

function diverged(step: number, { learningRate, output }: TrainSettings): Error {
  return new Error(
    `step ${step}: training has diverged, the loss is no number any more; start anew with a lower --lr than ${learningRate} (the pictures and checkpoints so far are in ${output})`,
  );
}

/** Whether the last `patience` validations brought nothing better than one before them. */
function outOfPatience({ validations }: Recorder, { earlyStopping, patience, lambda }: TrainSettings): boolean {
  if (!earlyStopping) return false;
  return isOutOfPatience(validations, bestStep(validations, lambda), patience);
}
