import { checkTrained } from "../checkpoints/trained-files.ts";
import type { OptimizerState } from "../nn/kept-state.ts";
import { choiceAt, type Chosen } from "../reward/choice.ts";
import { rewardsAt } from "../reward/judged.ts";
import { readBest, writtenChoice } from "../runs/best.ts";
import { growConfig, startRun } from "../runs/config.ts";
import { grownPoint, growRun, isOver, removeExtras } from "../runs/growth.ts";
import type { RunControl, StopReason, WrittenPicture } from "../runs/events.ts";
import { holdsRun } from "../runs/folder.ts";
import { readResumePoint, type ResumePoint } from "../runs/resume-point.ts";
import { openRecorder } from "../runs/recorder.ts";
import { endWhatWasBegun, repairRun, RUN_LOCK } from "../runs/repair.ts";
import { scaleOf } from "../runs/scale.ts";
import { withResources } from "../runtime/resources.ts";
import { subjectsOf } from "../settings/subjects.ts";
import type { TrainRequest } from "../settings/train-settings.ts";
import { inFlags } from "../settings/flag-name.ts";
import { UsageError } from "../system/errors.ts";
import { say, setting } from "../system/message.ts";
import { makeFolder } from "../system/files.ts";
import { lockFolder } from "../system/lock.ts";
import type { TrainingContext } from "./context.ts";
import type { Bucket } from "../images/buckets.ts";
import { openContext } from "./open-context.ts";
import { measureCost } from "./cost.ts";
import { runLoop } from "./loop.ts";
import type { Method } from "./method.ts";
import { keepPhotos } from "./photos.ts";
import { planOf, type TrainPlan } from "./plan.ts";

export interface TrainResult {
  /** "declined": the cost was not accepted, nothing was written. "finished-before": there was nothing left to do. */
  readonly reason: StopReason | "declined" | "finished-before";
  /** The last step. */
  readonly step: number;
  /** The best validation for the run's lambda, or the one that was selected for since; undefined before the first. */
  readonly best: Chosen | undefined;
  /** Of a training that was only to be planned. */
  readonly plan?: TrainPlan | undefined;
}

/** A photo as the log has it. @param subjects how many the run has */
function startPhoto(
  photo: WrittenPicture,
  { subject, bucket }: { readonly subject?: number | undefined; readonly bucket?: Bucket | undefined },
  subjects: number,
) {
  return { ...photo, ...(subjects > 1 && { subject }), ...(bucket !== undefined && { bucket }) };
}

/** Taken and passed over. */
function stepsOf({ stepCount, lossScale }: OptimizerState): number {
  return stepCount + (lossScale?.skipped ?? 0);
}

/**
 * Trains a subject into a model by a method: the starting model's pictures, steps, validation on fixed prompts and noises, early stopping,
 * and the choice of the checkpoint.
 *
 * The run's folder can be continued after a crash at any instant and ends as if it had not been interrupted.
 * @param options.dryRun loads, checks and measures everything, and writes nothing
 * @param open what the run works with; tests of the folder have something without models
 */
export async function train(
  request: TrainRequest,
  method: Method,
  { resume, dryRun = false }: { readonly resume: boolean; readonly dryRun?: boolean },
  control: RunControl,
  open: typeof openContext = openContext,
): Promise<TrainResult> {
  return withResources(async (own) => {
    const run = request.output;
    const lock = async () => own({ release: await lockFolder(run, RUN_LOCK) });
    if (resume) {
      // A finished run may lie where nobody can write.
      if (await isOver(run, request.steps).catch(() => false)) await repairRun(run);
      else {
        await lock();
        await endWhatWasBegun(run);
      }
    }
    const saved = resume ? await readResumePoint(run, control) : undefined;
    const grown = saved && (await grownPoint(request, saved));
    let resumePoint = grown ?? saved;
    if (resumePoint?.progress.finished === true) {
      const chosen = await readBest(run);
      if (chosen !== undefined) await checkTrained(chosen);
      return {
        reason: "finished-before",
        step: resumePoint.progress.step,
        best: await chosenBefore(run, resumePoint, request),
      };
    }
    const context = own(await open(request, method, control, { resume }));
    const { settings, trainer, writeCheckpoint } = context;
    if (grown !== undefined) checkRounds(context, grown);
    const cost = await measureCost(context, control, { resumePoint, resume });
    if (dryRun) return { reason: "declined", step: 0, best: undefined, plan: await planOf(context, cost) };
    if (!(await control.confirm(cost))) return { reason: "declined", step: 0, best: undefined };
    if (!resume) {
      await makeFolder(settings.output);
      await lock();
      if (await holdsRun(settings.output))
        throw new UsageError(
          say`${setting("output", settings.output)}: another run has begun there; choose another folder`,
        );
      await startRun(settings, context.provenance);
    }
    if (grown !== undefined) resumePoint = await growRun(settings, grown);
    else if (resume) await growConfig(run, settings.steps);
    const kept = await keepPhotos(settings.output, context.cuts, resumePoint?.pictures ?? new Map());
    const subjects = subjectsOf(settings).length;
    const photos = kept.map((each, i) => startPhoto(each, context.photos.at(i) ?? {}, subjects));
    const recorder = await openRecorder({ settings, resumePoint, control, trainer, writeCheckpoint });
    if (resume) await removeExtras(settings, recorder.validations, resumePoint?.progress.step ?? 0);
    try {
      return await runLoop(method, context, recorder, control, { resumePoint, photos, resume });
    } catch (error) {
      const message = inFlags(error);
      // a full disk takes no event either; the first error is the one to report
      await recorder
        .record({
          type: "error",
          step: Math.max(resumePoint?.progress.step ?? 0, stepsOf(trainer.optimizer)),
          message,
        })
        .catch(() => undefined);
      throw error;
    } finally {
      await recorder.close();
    }
  });
}

/** @throws UsageError when a run is given more steps and its last round was compared with the weights of then for the steps of then alone */
function checkRounds({ settings, round }: TrainingContext, { rounds, progress }: ResumePoint): void {
  const last = rounds.at(-1);
  const [measured] = Object.values(last?.before ?? {});
  if (last === undefined || measured === undefined || round(last.step + measured.length).length > 0) return;
  throw new UsageError(
    say`${setting("steps", settings.steps)}: the round of step ${last.step} of the run in ${settings.output} was measured to step ${last.step + measured.length} alone, with weights that are no more (it stands at step ${progress.step}); start a new run`,
  );
}

/** The choice of a finished run; somebody may have selected for another lambda, or kept a step by hand, since. */
async function chosenBefore(
  run: string,
  { validations, anchors }: ResumePoint,
  { lambda, rewardForm }: TrainRequest,
): Promise<Chosen | undefined> {
  const { lambda: weight = lambda, form = rewardForm, step, chosenBy } = (await writtenChoice(run)) ?? {};
  const scale = scaleOf(form, anchors, validations);
  if (chosenBy !== "person" || step === undefined) return choiceAt(validations, weight, scale);
  const reward = rewardsAt(validations, weight, scale)[validations.findIndex((each) => each.step === step)] ?? NaN;
  return { lambda: weight, form: scale.form, step, reward };
}
