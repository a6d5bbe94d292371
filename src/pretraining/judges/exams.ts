import { openAlign, openClip, openDino } from "../../checkpoints/encoders.ts";
import {
  createFeatureEncoder,
  createImageEncoder,
  type FeatureEncoder,
  type ImageEncoder,
} from "../../checkpoints/feature-encoder.ts";
import type { Image } from "../../images/image.ts";
import type { SessionOptions } from "../../runtime/session-options.ts";
import { withResources } from "../../runtime/resources.ts";
import type { Scene } from "../../world/scene.ts";
import { meaningOf } from "./batches.ts";
import { identityGap, instanceRetrieval, recallAtOne, type Figure, type Views } from "./figures.ts";
import { drawPictures, reconstructionPsnr, type DrawOptions } from "./generation.ts";
import { heldOutScenes, heldOutViews, rendered } from "./held-out.ts";
import { rightAnswers, SUBJECTS, textsOf, type SubjectOfQuestion } from "./questions.ts";

/** Pictures that a text is sought among. */
const GALLERY = 256;
/** Instances of a class that one is sought among. */
const PER_CLASS = 50;
/** Scenes that the judge of generated pictures is tried on, and prompts that pictures are generated for. */
const TRIALS = 512;
const RECONSTRUCTIONS = 256;
const DRAWING = { steps: 20, guidance: 4, batch: 32 } as const;
/** Of generated pictures, by the judge that never saw one. */
const DRAWING_BARS = { class: 0.85, place: 0.9, colour: 0.8 } as const;

/** What a diffusers folder's VAE must be able to do. */
export async function examineAutoencoder(folder: string, session: SessionOptions): Promise<Figure[]> {
  const images = await rendered(heldOutScenes(RECONSTRUCTIONS).map(({ scene }) => scene));
  const { mean, pooled } = await reconstructionPsnr(folder, images, session);
  return [
    { what: `reconstruction of ${RECONSTRUCTIONS} pictures, mean PSNR in dB`, value: mean, bar: 30, digits: 2 },
    { what: "PSNR of all their pixels together", value: pooled, digits: 2 },
  ];
}

/** What the pictures of a diffusers folder must show, in the eyes of the judge in another folder. */
export async function examineDrawing(
  folder: string,
  {
    judge: judgeFolder,
    session,
    onStep,
  }: { readonly judge: string; readonly session: SessionOptions; readonly onStep?: DrawOptions["onStep"] },
): Promise<Figure[]> {
  const scenes = heldOutScenes(TRIALS);
  const prompts = scenes.map(({ caption }) => caption);
  const pictures = await drawPictures(folder, { ...DRAWING, prompts, session, ...(onStep && { onStep }) });
  const right = await withResources(async (own) => {
    const judge = own(await createZeroShotJudge(judgeFolder, session));
    return judge.rightAnswers(
      scenes.map(({ scene }) => scene),
      pictures,
    );
  });
  return SUBJECTS.map((about) => ({
    what: `${about} of ${TRIALS} generated pictures`,
    value: right[about],
    bar: DRAWING_BARS[about],
  }));
}

/** What the reward's judge must be able to do (its folder -> figures on held-out instances). */
export async function examineAlign(folder: string, session: SessionOptions): Promise<Figure[]> {
  const part = await openAlign(folder);
  const scenes = heldOutScenes(GALLERY);
  const { images, texts, views } = await withResources(async (own) => {
    const encoder = own(await createFeatureEncoder(part, session));
    return {
      images: await encoder.images(await rendered(scenes.map(({ scene }) => scene))),
      texts: await encoder.texts(scenes.map(({ caption }) => caption)),
      views: await viewsOf(encoder),
    };
  });
  const meanings = scenes.map(({ scene }) => meaningOf(scene));
  const recall = (isRight: (query: number, found: number) => boolean) => recallAtOne(texts, images, isRight);
  const { same, other } = identityGap(views);
  return [
    {
      what: `text to picture, R@1 of ${GALLERY}`,
      value: recall((query, found) => meanings[query] === meanings[found]),
      bar: 0.7,
    },
    {
      what: `the same, only the very words count`,
      value: recall((query, found) => scenes[query].caption === scenes[found].caption),
    },
    { what: `the same instance among ${PER_CLASS} of its class`, value: instanceRetrieval(views), bar: 0.6 },
    { what: "ALIGN-I of two views of an instance", value: same },
    { what: "less that of two instances of a class", value: same - other, bar: 0.1 },
  ];
}

/** What the judge of identity must be able to do. */
export async function examineDino(folder: string, session: SessionOptions): Promise<Figure[]> {
  const part = await openDino(folder);
  const views = await withResources(async (own) => viewsOf(own(await createImageEncoder(part, session))));
  const { same, other } = identityGap(views);
  return [
    { what: `the same instance among ${PER_CLASS} of its class`, value: instanceRetrieval(views), bar: 0.8 },
    { what: "cosine of two views of an instance", value: 2 * same - 1 },
    { what: "cosine of views of two instances of a class", value: 2 * other - 1 },
  ];
}

/** What the judge of generated pictures must be able to do on rendered ones. */
export async function examineClip(folder: string, session: SessionOptions): Promise<Figure[]> {
  const scenes = heldOutScenes(TRIALS).map(({ scene }) => scene);
  const right = await withResources(async (own) => {
    const judge = own(await createZeroShotJudge(folder, session));
    return judge.rightAnswers(scenes, await rendered(scenes));
  });
  return SUBJECTS.map((about) => ({ what: `${about} of ${TRIALS} rendered pictures`, value: right[about], bar: 0.97 }));
}

/** CLIP as a judge of what pictures show. */
export interface ZeroShotJudge {
  rightAnswers(scenes: readonly Scene[], images: readonly Image[]): Promise<Record<SubjectOfQuestion, number>>;
  release(): Promise<void>;
}

export async function createZeroShotJudge(folder: string, session: SessionOptions): Promise<ZeroShotJudge> {
  const encoder: FeatureEncoder = await createFeatureEncoder(await openClip(folder), session);
  return {
    async rightAnswers(scenes, images) {
      const texts = textsOf(scenes);
      const features = await encoder.texts(texts);
      const pictures = await encoder.images(images);
      return rightAnswers(
        scenes.map((scene, i) => ({ scene, feature: pictures[i] })),
        new Map(texts.map((text, i) => [text, features[i]])),
      );
    },
    release: () => encoder.release(),
  };
}

async function viewsOf(encoder: ImageEncoder): Promise<Views> {
  const { first, second } = await heldOutViews(PER_CLASS);
  const features = async (groups: readonly Image[][]) => {
    const out = [];
    for (const group of groups) out.push(await encoder.images(group));
    return out;
  };
  return { first: await features(first), second: await features(second) };
}
