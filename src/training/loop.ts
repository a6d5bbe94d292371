import type { Message } from "../system/errors.ts";
import { failureWith, say, setting } from "../system/message.ts";
import { choiceAt, type Chosen } from "../reward/choice.ts";
import type { RunControl, RunEvent, StopReason } from "../runs/events.ts";
import type { ResumePoint } from "../runs/resume-point.ts";
import type { Recorder } from "../runs/recorder.ts";
import { loadState } from "../runs/state.ts";
import { PRODIGY_LEARNING_RATE } from "../settings/optimizer.ts";
import type { TrainSettings } from "../settings/train-settings.ts";
import { NoNumbers } from "../tensor/finite.ts";
import type { TrainingContext } from "./context.ts";
import { batchedFeeds } from "./batches.ts";
import type { Method } from "./method.ts";
import { rateAt } from "./rate.ts";
import { openRounds } from "./rounds.ts";
import { measuredIn, reasonToStop, watchedCurve } from "./stopping.ts";
import { drawStartingPictures } from "./starting-pictures.ts";
import { meansOf, orUndefinedWhenStopped } from "./trainer.ts";
import { isValidated, measureAnchors, validate } from "./validation.ts";

/** Seconds between saved states of a LoRA between validations; a fine-tuned U-Net's state is large, and saved at validations only. */
const SAVE_EVERY_SECONDS = 60;

export interface LoopResult {
  readonly reason: StopReason;
  /** The last step. */
  readonly step: number;
  /** The best validation; undefined before the first. */
  readonly best: Chosen | undefined;
}

/** What the loop begins with. */
export interface LoopStart {
  /** Where a run that goes on stands; undefined in a run that has no state yet, be it new or resumed. */
  readonly resumePoint: ResumePoint | undefined;
  readonly photos: Extract<RunEvent, { type: "start" }>["photos"];
  readonly resume: boolean;
}

/** Steps of a method with validations between them, until the reward no longer rises, all are taken, or it is asked to stop. */
export async function runLoop(
  method: Method,
  context: TrainingContext,
  recorder: Recorder,
  control: RunControl,
  { resumePoint, photos, resume }: LoopStart,
): Promise<LoopResult> {
  const { trainer, settings } = context;
  const firstStep = resumePoint?.progress.step ?? 0;
  const end = async (reason: StopReason, step: number): Promise<LoopResult> => {
    await recorder.record({ type: "stop", step, reason });
    if (reason !== "interrupted") await recorder.save(step, true);
    return { reason, step, best: choiceAt(recorder.validations, settings.lambda, recorder.scale) };
  };
  if (resumePoint === undefined) {
    await recorder.record({
      type: "start",
      time: new Date().toISOString(),
      version: context.provenance.versions.rpo,
      photos,
    });
    await recorder.record(await measureAnchors(context));
  }
  // They are the starting model's: they come before a saved state is loaded.
  const pictures = await drawStartingPictures(context, recorder, control, {
    reuse: resume,
    recorded: resumePoint?.startingPictures ?? new Set(),
    known: resumePoint?.pictures ?? new Map(),
  });
  if (pictures === undefined) return end("interrupted", firstStep);
  if (resumePoint !== undefined) await loadState(resumePoint, trainer.optimizer);
  const rounds = await openRounds(method, context, recorder, {
    signal: control.signal,
    known: resumePoint?.rounds ?? [],
    starting: pictures,
  });

  const measured = measuredIn(resumePoint?.steps ?? [], settings);
  /** The loss that the run's rule watches, where it is due. */
  const watch = async (step: number): Promise<Record<string, number>> => {
    const curve = watchedCurve(settings);
    if (curve === undefined || context.fixedLoss === undefined || step % settings.stopEvery !== 0) return {};
    const loss = await context.fixedLoss.measure();
    measured.push({ step, loss });
    return { [curve]: loss };
  };

  /** @returns false when interrupted; the state is saved then */
  const validated = async (step: number): Promise<boolean> => {
    const isDone = await validate(step, context, recorder, control.extra).catch(orDiverged(step, settings));
    if (!isDone) await recorder.save(step);
    return isDone;
  };

  let savedAt = performance.now();
  for (let step = firstStep; ; step++) {
    if (step > firstStep) {
      const started = performance.now();
      const { feeds, values, ...used } = await batchedFeeds(method, step, context, pictures, rounds.drawn());
      const scale = trainer.optimizer.lossScale?.factor;
      const how = { rate: rateAt(step, settings), stop: control.signal };
      const stepped = await trainer.step(feeds, how).catch(orUndefinedWhenStopped);
      if (stepped === undefined) {
        await recorder.save(step - 1);
        return end("interrupted", step - 1);
      }
      const { curves, gradNorm } = stepped;
      const { distance } = trainer.optimizer;
      const numbers = {
        ...meansOf(curves),
        ...values,
        ...(distance && { d: distance.d }),
        ...(await watch(step)),
      };
      const overflows = scale !== undefined && !Number.isFinite(gradNorm);
      if (!Object.values(numbers).every(Number.isFinite) || !(overflows || Number.isFinite(gradNorm)))
        throw diverged(say`step ${step}: training has diverged, the loss is no number any more`, settings);
      if (overflows && scale <= 1) throw tooLarge(step, settings);
      await recorder.record({
        type: "step",
        step,
        curves: numbers,
        ...used,
        ...(!overflows && { gradNorm }),
        ...(scale !== undefined && { lossScale: scale }),
        seconds: (performance.now() - started) / 1000,
      });
      control.emit({ type: "progress", phase: "training", done: step, total: settings.steps });
    }
    if (isValidated(step, settings) && recorder.validations.at(-1)?.step !== step) {
      if (!(await validated(step))) return end("interrupted", step);
      const reason = reasonToStop(recorder, measured, settings);
      if (reason !== undefined) return end(reason, step);
      if (step < settings.steps) await recorder.save(step);
      savedAt = performance.now();
    } else if (control.extra?.isAsked() === true && recorder.validations.at(-1)?.step !== step) {
      if (!(await validated(step))) return end("interrupted", step);
      await recorder.save(step);
      savedAt = performance.now();
    }
    if (step >= settings.steps) return end("steps", step);
    if (!(await rounds.draw(step).catch(orDiverged(step, settings)))) {
      await recorder.save(step);
      return end("interrupted", step);
    }
    const due = settings.adapter === "lora" && performance.now() - savedAt > SAVE_EVERY_SECONDS * 1000;
    if (control.signal.aborted || due) {
      await recorder.save(step);
      savedAt = performance.now();
      if (control.signal.aborted) return end("interrupted", step);
    }
  }
}

/** For what is drawn with the weights of a step: a step may overshoot with a loss that is still a number. The starting model's own faults stay what they are. */
function orDiverged(step: number, settings: TrainSettings): (error: unknown) => never {
  return (error) => {
    if (step === 0 || !(error instanceof NoNumbers)) throw error;
    throw diverged(
      say`step ${step}: training has diverged, the pictures drawn after it are no numbers any more`,
      settings,
    );
  };
}

function diverged(what: Message, { learningRate, optimizer, dCoef, output }: TrainSettings): Error {
  const isByEstimate = optimizer === "prodigy" && learningRate <= PRODIGY_LEARNING_RATE;
  const lower = isByEstimate ? say`${setting("dCoef")} than ${dCoef}` : say`${setting("lr")} than ${learningRate}`;
  return failureWith(
    say`${what}; start anew with a lower ${lower} (the pictures and checkpoints so far are in ${output}: rpo generate draws with the best of them)`,
  );
}

function tooLarge(step: number, { output }: TrainSettings): Error {
  return failureWith(
    say`step ${step}: the gradients are too large for half precision, however small the loss is scaled; start anew with ${setting("precision", "float32")} (the pictures and checkpoints so far are in ${output})`,
  );
}
