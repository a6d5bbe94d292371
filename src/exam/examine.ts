import { join } from "node:path";
import { runTask } from "../engine/host.ts";
import { listPhotosIn } from "../images/folder.ts";
import { readImage } from "../images/read.ts";
import { checkpointPath } from "../runs/folder.ts";
import { withResources } from "../runtime/resources.ts";
import { methodEntry } from "../settings/learning.ts";
import type { TrainRequest } from "../settings/train-settings.ts";
import { Interrupted } from "../system/failure.ts";
import { fillPrompt } from "../training/prompts.ts";
import type { Subject } from "../world/subjects.ts";
import { openExaminer } from "./examiner.ts";
import { marksOf, type Answer, type Marks } from "./grade.ts";
import { QUESTIONS } from "./questions.ts";

/** A model that sits the exam: a step of a run; step 0 is the starting model. */
export interface Examinee {
  readonly run: string;
  readonly step: number;
  /** The folder, in the exam's, of its pictures. */
  readonly name: string;
}

export interface ExamOptions {
  readonly subject: Subject;
  /** How the runs were made: their model, their photos, and how pictures are drawn. */
  readonly request: TrainRequest;
  /** Where pictures go. Those that are there are not drawn again. */
  readonly output: string;
  /** Pictures of each question. */
  readonly count: number;
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total: number) => void;
}

/**
 * Draws the exam's questions with each model, from the same noises, and marks the answers.
 * @param examinees the starting model first
 * @returns the marks of each, picture by picture, in their order
 * @throws Interrupted when it was asked to stop: what was drawn is kept
 */
export async function examine(examinees: readonly Examinee[], options: ExamOptions): Promise<Marks[]> {
  const { subject, request, output, count, signal, onProgress } = options;
  const photos = await Promise.all((await listPhotosIn(request.images)).map((path) => readImage(path)));
  const { threads, device, precision } = request;
  const prompts = QUESTIONS.map(
    (question) => fillPrompt(question, { ...request, isTokenAlone: methodEntry(request.method).isTokenAlone }).text,
  );
  return withResources(async (own) => {
    const examiner = own(await openExaminer(subject, photos, { threads, device: "cpu" }));
    const answers: Answer[][] = [];
    for (const [i, { run, step, name }] of examinees.entries()) {
      const folder = join(output, name);
      const { pictures, interrupted } = await runTask(
        "generate",
        {
          ...{ prompts, negative: undefined, count, seed: request.seed * count, output: folder, keep: true },
          ...{ sampler: "dpm", steps: request.validationSteps, guidance: request.guidance },
          ...{ height: request.resolution, width: request.resolution, threads, device, precision },
          ...{ model: request.model, variant: request.variant, vae: request.vae, prediction: request.prediction },
          adapter: step === 0 ? undefined : join(run, checkpointPath(step)),
        },
        {
          signal,
          onEvent: (event) => {
            if (event.type === "progress" && event.phase === "drawing")
              onProgress(i * event.total + event.done, examinees.length * event.total);
          },
        },
      );
      if (interrupted) throw new Interrupted();
      const drawn = await Promise.all(pictures.map(({ file }) => readImage(join(folder, file))));
      answers.push(await examiner.answers(drawn.map((image, p) => ({ question: Math.floor(p / count), image }))));
    }
    return answers.map((each) => marksOf(each, answers[0], QUESTIONS, examiner.anchors));
  });
}
