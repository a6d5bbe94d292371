import { join } from "node:path";
import { embeddedFolder } from "../../checkpoints/embedded.ts";
import { openAlign, openDino } from "../../checkpoints/encoders.ts";
import { createFeatureEncoder, createImageEncoder } from "../../checkpoints/feature-encoder.ts";
import { openExaminer } from "../../exam/examiner.ts";
import type { Anchors, Answer } from "../../exam/grade.ts";
import { QUESTIONS } from "../../exam/questions.ts";
import type { Image } from "../../images/image.ts";
import { readImage } from "../../images/read.ts";
import type { Measured } from "../../reward/fixed-loss.ts";
import { mean } from "../../reward/statistics.ts";
import { readEvents } from "../../runs/folder.ts";
import { withResources } from "../../runtime/resources.ts";
import { dot, type Feature } from "../../tensor/feature.ts";
import { fillPrompt } from "../../training/prompts.ts";
import type { Subject } from "../../world/subjects.ts";
import { ownPrompts } from "./prompts.ts";
import type { StudyRun } from "./studies.ts";

/** A picture of the prompts that a run of this model would choose by. */
export interface RewardPicture {
  readonly promptIndex: number;
  readonly index: number;
  readonly alignI: number;
  readonly alignT: number;
  /** Mean cosine of DINO's class token to the photos. */
  readonly dino: number;
}

export interface GradedValidation {
  readonly step: number;
  readonly images: readonly RewardPicture[];
  readonly answers: readonly Answer[];
}

/** Losses over a training as long as a study's run, for rules that watch no pictures. */
export interface WatchedLosses {
  /** On fixed draws of all photos, in the very training that is graded. */
  readonly fixed: readonly Measured[];
  /** On the last photo, in a training on the others: whoever goes by it then trains as long on all of them. */
  readonly heldOut: readonly Measured[];
}

/** What is kept of a training: every figure of a study is made of these. */
export interface GradedRun {
  readonly run: StudyRun;
  readonly exam: Anchors;
  /** What a reward can know of the photos: ALIGN-I and DINO of each other, and ALIGN-T with each of the prompts. */
  readonly photos: { readonly alignI: number; readonly dino: number; readonly alignT: readonly number[] };
  readonly validations: readonly GradedValidation[];
  readonly secondsPerStep: number;
  /** Where they were watched: a file of their own. */
  readonly losses?: WatchedLosses | undefined;
}

export interface GradeOptions {
  readonly subject: Subject;
  /** The run's. */
  readonly folder: string;
  readonly photos: readonly string[];
  readonly threads: number;
}

/** Puts the pictures of every validation of a finished run to the exam. */
export async function gradeRun(run: StudyRun, options: GradeOptions): Promise<GradedRun> {
  const { subject, folder, threads } = options;
  const session = { threads, device: "cpu" } as const;
  const photos = await Promise.all(options.photos.map((path) => readImage(path)));
  const { validation: own } = await ownPrompts(subject.className);
  const events = await readEvents(folder);
  return withResources(async (scope) => {
    const examiner = scope(await openExaminer(subject, photos, session));
    const dino = scope(await createImageEncoder(await openDino(embeddedFolder("dino")), session));
    const align = scope(await createFeatureEncoder(await openAlign(embeddedFolder("align")), session));
    const photoFeatures = await dino.images(photos);
    const validations: GradedValidation[] = [];
    for (const event of events) {
      if (event.type !== "validation") continue;
      const drawn: { question: number; image: Image }[] = [];
      const images: RewardPicture[] = [];
      for (const { promptIndex, index, alignI, alignT, image: path } of event.images) {
        const image = await readImage(join(folder, path));
        if (promptIndex >= own.length) drawn.push({ question: promptIndex - own.length, image });
        else {
          const [feature] = await dino.images([image]);
          images.push({ promptIndex, index, alignI, alignT, dino: mean(photoFeatures.map((f) => dot(f, feature))) });
        }
      }
      if (drawn.some(({ question }) => question >= QUESTIONS.length)) throw new Error(`${folder}: drew other prompts`);
      validations.push({ step: event.step, images, answers: await examiner.answers(drawn) });
    }
    const alignPhotos = await align.images(photos);
    const texts = own.map((text) => fillPrompt(text, { token: "[V]", class: subject.className }).rewardText);
    const words = await align.texts(texts);
    const seconds = events.flatMap((event) => (event.type === "step" ? [event.seconds] : []));
    return {
      run,
      exam: examiner.anchors,
      photos: {
        alignI: (1 + ofEachOther(alignPhotos)) / 2,
        dino: ofEachOther(photoFeatures),
        alignT: words.map((word) => (1 + mean(alignPhotos.map((photo) => dot(photo, word)))) / 2),
      },
      validations,
      secondsPerStep: seconds.length === 0 ? 0 : mean(seconds),
    };
  });
}

/** Mean cosine over the pairs. */
function ofEachOther(features: readonly Feature[]): number {
  return mean(features.flatMap((a, i) => features.slice(i + 1).map((b) => dot(a, b))));
}
