import type { RunControl, ScoredImage } from "../runs/events.ts";
import { removeValidationPictures } from "../runs/pictures.ts";
import { withResources } from "../runtime/resources.ts";
import { ModelError } from "../system/errors.ts";
import { measureAnchors } from "../training/validation.ts";
import { beginJudging } from "./begin.ts";
import { createFiles, type Files } from "./files.ts";
import { drawAndScore, type Opened } from "./judge-step.ts";
import type { JudgedLog } from "./judged-log.ts";
import { openJudging, type JudgingContext } from "./open-judging.ts";
import { recordStep } from "./record-step.ts";
import { judgeSamples } from "./samples/judge.ts";
import type { JudgeResult, JudgeTask } from "./task.ts";
import { conclude, nothingJudged } from "./conclude.ts";

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
  if (judging.samples !== undefined) return judgeSamples(task, judging.samples, control);
  return withResources(async (own) => {
    const begun = await beginJudging<JudgingContext & { readonly files: Files }>(
      task,
      {
        async prepare() {
          const context = own(await open(request, control));
          return { ...context, files: createFiles(task, context, control) };
        },
        check: ({ files }, log) => files.check(log),
        measure: measureAnchors,
      },
      own,
      control,
    );
    if (begun === undefined) return nothingJudged(request);
    const { prepared, log } = begun;
    const judged = await judgeAll(prepared.files, log, prepared, control);
    return { judged, loads: prepared.drawing.loads(), ...(await conclude(log, prepared.settings, control.signal)) };
  });
}

/** Judges what is there, and what comes, until there is no more or it is asked to stop. @returns how many */
async function judgeAll(files: Files, log: JudgedLog, context: JudgingContext, control: RunControl): Promise<number> {
  let count = 0;
  const record = (step: number, images: readonly ScoredImage[]): Promise<void> =>
    recordStep(step, images, { log, settings: context.settings, control });
  if (log.validations.at(0)?.step !== 0) {
    const images = await drawAndScore(0, undefined, context, log);
    if (images === undefined) return count;
    await record(0, images);
  }
  /** @returns whether it was judged; undefined when it was asked to stop */
  const judgeOne = async (next: Opened): Promise<boolean | undefined> => {
    const { step } = next.checkpoint;
    // a LoRA is read whole when it is opened; of a model some weights may be those of another file by now
    const isAsOpened = async () => next.trained.kind === "lora" || (await next.isUnchanged());
    try {
      const images = await drawAndScore(step, next, context, log);
      if (images === undefined) return undefined;
      if (await isAsOpened()) {
        await record(step, images);
        return true;
      }
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
      if (await isAsOpened()) await files.passOver(next, error.message);
    }
    await removeValidationPictures(context.settings.output, step);
    return false;
  };
  for (;;) {
    const next = await files.next(log);
    if (next === undefined || control.signal.aborted) return count;
    const isJudged = await judgeOne(next);
    if (isJudged === undefined) return count;
    if (isJudged) count++;
  }
}
