import { join } from "node:path";
import { embeddedPart } from "../checkpoints/embedded.ts";
import { compareModels, type ComparedModel } from "../evaluation/comparison.ts";
import { examine, type Examinee } from "../exam/examine.ts";
import { gradeOf, gradeOfPairs } from "../exam/grade.ts";
import { QUESTIONS } from "../exam/questions.ts";
import { readEvents } from "../runs/folder.ts";
import { writeExam, type ExamFile } from "../runs/exam-file.ts";
import { scaleOfLog } from "../runs/scale.ts";
import type { TrainRequest } from "../settings/train-settings.ts";
import { SUBJECTS } from "../world/subjects.ts";
import type { Progress } from "./progress.ts";

/** What a demo's two runs came to. */
export interface DemoOutcome {
  readonly models: readonly ComparedModel[];
  readonly lambdas: readonly number[];
  /** Of each validation. */
  readonly pictures: number;
  /** Of the embedded model's demos: no other model was taught the rendered world. */
  readonly exam: ExamFile | undefined;
}

/** The lambdas whose choices are compared. */
const LAMBDAS = [0.3, 0.5, 0.7];
/** Pictures of each question of the exam. */
const ANSWERS = 2;

export interface OutcomeOptions {
  readonly subject: string;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  /** Told how many models are about to sit the exam. */
  readonly onExam: (models: number) => void;
}

/** Compares both runs, and puts what the embedded model has learnt to the exam. @throws Interrupted */
export async function outcomeOf(
  run: TrainRequest,
  photosAlone: TrainRequest,
  { subject, progress, signal, onExam }: OutcomeOptions,
): Promise<DemoOutcome> {
  const events = await readEvents(run.output);
  const validationsOf = (all: typeof events) => all.filter((event) => event.type === "validation");
  const validations = validationsOf(events);
  const scale = scaleOfLog(run.rewardForm, events);
  const models = compareModels(validations, validationsOf(await readEvents(photosAlone.output)), {
    lambdas: LAMBDAS,
    scale,
  });
  const outcome = { models, lambdas: LAMBDAS, pictures: validations.at(0)?.images.length ?? 0 };

  const known = SUBJECTS.find(({ name }) => name === subject);
  if (known === undefined || embeddedPart(run.model) !== "sd") return { ...outcome, exam: undefined };
  onExam(models.length);
  const examinees = models.map(({ source, step }): Examinee => ({
    run: (source === "alone" ? photosAlone : run).output,
    step,
    name: `${source}-${step}`,
  }));
  const marks = await examine(examinees, {
    ...{ subject: known, request: run, output: join(run.output, "exam"), count: ANSWERS, signal },
    onProgress: (done, total) => progress.update("drawing", done, total),
  });
  const last = models.findLastIndex(({ source }) => source === "alone");
  const exam: ExamFile = {
    pictures: QUESTIONS.length * ANSWERS,
    models: models.map(({ label, source, step }, i) => ({
      ...{ label, step, ...gradeOf(marks[i]) },
      ...(source === "run" && { lessAlone: { ...gradeOfPairs(marks[i], marks[last]), step: models[last].step } }),
    })),
  };
  await writeExam(run.output, exam);
  return { ...outcome, exam };
}
