import { checkUnchanged, startRun } from "../runs/config.ts";
import type { RunControl, ScoredImage } from "../runs/events.ts";
import { holdsRun } from "../runs/folder.ts";
import { pictureHashes } from "../runs/pictures.ts";
import { endWhatWasBegun } from "../runs/repair.ts";
import { withResources } from "../runtime/resources.ts";
import { makeFolder } from "../system/files.ts";
import { lockFolder } from "../system/lock.ts";
import { keepPhotos } from "../training/photos.ts";
import { judgedValidation, measureAnchors } from "../training/validation.ts";
import { openJudgedLog, type JudgedLog } from "./judged-log.ts";
import { createFiles, type Files } from "./files.ts";
import { drawAndScore } from "./judge-step.ts";
import { openJudging, type JudgingContext } from "./open-judging.ts";
import { checkSameJudging, eventsBefore, JUDGE_LOCK } from "./resume.ts";
import { judgeSamples } from "./samples/judge.ts";
import type { JudgeResult, JudgeTask } from "./task.ts";
import { verdictOf } from "./verdict.ts";

/**
 * Draws the validation prompts with each checkpoint of a training, the starting model first, from the same noises, scores the pictures, and
 * writes a run's folder, from which a checkpoint can be chosen for any lambda.
 *
 * May be stopped and started again with the same settings; what has been judged is not judged again, and files that have come since are.
 * @throws UsageError, ModelError before anything is drawn
 */
export async function judgeCheckpoints(
  task: JudgeTask,
  control: RunControl,
  open: typeof openJudging = openJudging,
): Promise<JudgeResult> {
  const { request, judging } = task;
  const run = request.output;
  if (judging.samples !== undefined) return judgeSamples(task, judging.samples, control);
  return withResources(async (own) => {
    const goesOn = await holdsRun(run);
    const lock = async () => own({ release: await lockFolder(run, JUDGE_LOCK) });
    if (goesOn) {
      await checkSameJudging(run, request, judging);
      await lock();
      await endWhatWasBegun(run);
    }
    const context = own(await open(request, control));
    const { settings, provenance } = context;
    if (goesOn) await checkUnchanged(run, settings, provenance);
    const files = createFiles(task, context, control);
    const before = goesOn ? await eventsBefore(run) : [];
    await files.check(new Set(before.flatMap((event) => (event.type === "validation" ? [event.step] : []))));
    if (!goesOn) {
      await makeFolder(run);
      await lock();
      await startRun(settings, provenance, judging);
    }
    const log = openJudgedLog(settings, before);
    const photos = await keepPhotos(run, context.squares, pictureHashes(before));
    if (!log.isBegun) {
      const { closest } = context;
      const time = new Date().toISOString();
      const start = { type: "start", time, version: provenance.versions.rpo, photos, ...closest } as const;
      const anchors = await measureAnchors(context);
      await log.begin(start, anchors);
      control.emit(start);
      control.emit(anchors);
    }
    const judged = await judgeAll(files, log, context, control);
    const reason = control.signal.aborted ? "interrupted" : "done";
    await log.end(reason === "done" ? "steps" : "interrupted");
    return { reason, judged, loads: context.drawing.loads(), verdict: verdictOf(log, settings.lambda) };
  });
}

/** Judges what is there, and what comes, until there is no more or it is asked to stop. @returns how many */
async function judgeAll(files: Files, log: JudgedLog, context: JudgingContext, control: RunControl): Promise<number> {
  let count = 0;
  const record = async (step: number, images: readonly ScoredImage[]): Promise<void> => {
    const before = { validations: log.validations.filter((each) => each.step < step), anchors: log.anchors };
    const validation = judgedValidation({ step, images }, context.settings, before);
    const isBest = await log.put(validation);
    control.emit(validation);
    if (isBest) control.emit({ type: "best", step, reward: validation.reward });
  };
  if (log.validations.at(0)?.step !== 0) {
    const images = await drawAndScore(0, undefined, context);
    if (images === undefined) return count;
    await record(0, images);
  }
  for (;;) {
    const next = await files.next(log);
    if (next === undefined || control.signal.aborted) return count;
    const { step } = next.checkpoint;
    log.drop(step);
    const images = await drawAndScore(step, next, context);
    if (images === undefined) return count;
    await record(step, images);
    count++;
  }
}
