import { embeddedFolder } from "../checkpoints/embedded.ts";
import { openClip, openDino } from "../checkpoints/encoders.ts";
import { createFeatureEncoder, createImageEncoder } from "../checkpoints/feature-encoder.ts";
import { fidelity, nearest } from "../evaluation/features.ts";
import type { Image } from "../images/image.ts";
import { mean } from "../reward/statistics.ts";
import { assemble, type Resource } from "../runtime/resources.ts";
import type { SessionOptions } from "../runtime/session-options.ts";
import { dot, type Feature } from "../tensor/feature.ts";
import { Random } from "../tensor/random.ts";
import { FRAME } from "../world/compose.ts";
import { instanceOf, sampleInstance } from "../world/instance.ts";
import { renderScenes } from "../world/render.ts";
import { sampleScene } from "../world/sample.ts";
import type { Instance } from "../world/scene.ts";
import type { Subject } from "../world/subjects.ts";
import type { Anchors, Answer } from "./grade.ts";
import { answersTo, QUESTIONS, type Question } from "./questions.ts";

/**
 * Judges pictures by what the world knows and no reward sees: how the subject really looks in the scene that was asked for. The judges are
 * the embedded DINO and CLIP, which training and selection do not use.
 */
export interface Examiner extends Resource {
  readonly anchors: Anchors;
  /** @param pictures of {@link QUESTIONS}, each with the index of its question */
  answers(pictures: readonly { readonly question: number; readonly image: Image }[]): Promise<Answer[]>;
}

/** Real renderings of the subject in each scene. */
const VIEWS = 6;
/** Other instances of its class that it is told from. */
const OTHERS = 20;

/** Opens the judges and looks at real renderings. @param photos that the model is taught with */
export async function openExaminer(
  { className, seed }: Subject,
  photos: readonly Image[],
  session: SessionOptions,
): Promise<Examiner> {
  return assemble(async (own, release) => {
    const dino = own(await createImageEncoder(await openDino(embeddedFolder("dino")), session));
    const clip = own(await createFeatureEncoder(await openClip(embeddedFolder("clip")), session));
    const subject = instanceOf(className, seed);
    const others = othersThan(subject);
    const marginOf = (picture: Feature, { right, wrong }: Choice): number =>
      dot(picture, right) - Math.max(...wrong.map((each) => dot(picture, each)));
    const ownPhotos = await clip.images(photos);

    const scenes: SceneTruth[] = [];
    for (const [q, question] of QUESTIONS.entries()) {
      const { right, wrong } = answersTo(question, className);
      const [rightFeature, ...wrongFeatures] = await clip.texts([right, ...wrong]);
      const choice = { right: rightFeature, wrong: wrongFeatures };
      const real = await render(
        Array.from({ length: VIEWS }, () => subject),
        question,
        q,
      );
      const isPlace = question.asks === "place";
      scenes.push({
        choice,
        real: isPlace ? await dino.images(real) : [],
        others: isPlace ? await dino.images(await render(others, question, q)) : [],
        realMargin: mean((await clip.images(real)).map((feature) => marginOf(feature, choice))),
        photoMargin: mean(ownPhotos.map((feature) => marginOf(feature, choice))),
      });
    }
    return {
      anchors: {
        realLikeness: scenes.map(({ real }) => (real.length === 0 ? undefined : likenessOfEachOther(real))),
        realMargin: scenes.map(({ realMargin }) => realMargin),
        photoMargin: scenes.map(({ photoMargin }) => photoMargin),
      },
      async answers(pictures) {
        const images = pictures.map(({ image }) => image);
        const [looks, words] = [await dino.images(images), await clip.images(images)];
        return pictures.map(({ question }, i) => {
          const { choice, real, others: strangers } = scenes[question];
          const margin = marginOf(words[i], choice);
          if (real.length === 0) return { question, margin };
          const isSubject = nearest(looks[i], real) > nearest(looks[i], strangers);
          return { question, margin, likeness: fidelity(looks[i], real), isSubject };
        });
      },
      release,
    };
  });
}

interface Choice {
  readonly right: Feature;
  readonly wrong: readonly Feature[];
}

/** What is known of a question's scene. */
interface SceneTruth {
  readonly choice: Choice;
  readonly real: readonly Feature[];
  readonly others: readonly Feature[];
  readonly realMargin: number;
  readonly photoMargin: number;
}

function othersThan(subject: Instance): Instance[] {
  const rng = new Random(subject.seed).split("exam", "others");
  const others: Instance[] = [];
  while (others.length < OTHERS) {
    const other = sampleInstance(rng, subject.className, "heldOut");
    if (other.seed !== subject.seed) others.push(other);
  }
  return others;
}

/** Instances in the scene of a question, each in a view of its own. */
async function render(instances: readonly Instance[], { place, colour }: Question, question: number): Promise<Image[]> {
  const scenes = instances.map((instance, i) => {
    const rng = new Random(instance.seed).split("exam", question, i);
    return sampleScene(rng, { instance, place: place ?? null, colour: colour ?? null, worn: null, style: null }).scene;
  });
  return (await renderScenes(scenes)).map(({ image }) => ({ width: FRAME, height: FRAME, data: image }));
}

/** Mean cosine of each to the others. */
function likenessOfEachOther(features: readonly Feature[]): number {
  return mean(
    features.map((feature) =>
      fidelity(
        feature,
        features.filter((other) => other !== feature),
      ),
    ),
  );
}
