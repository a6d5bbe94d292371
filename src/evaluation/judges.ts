import type { Feature } from "../tensor/feature.ts";
import { fidelity, nearest, cosine, copyRate, diversity, meanOf } from "./features.ts";

/** A model that judges pictures, in whatever form `P` it takes them, and texts where it has a text encoder. Features have unit length. */
export interface Judge<P> {
  images(images: readonly P[]): Promise<Feature[]>;
  texts?(texts: readonly string[]): Promise<Feature[]>;
}

export interface Judges<P> {
  readonly dino?: Judge<P> | undefined;
  readonly clip?: Required<Judge<P>> | undefined;
  readonly align?: Required<Judge<P>> | undefined;
}

/** Photos and pictures in their order, without their background; undefined for a picture that has no mask. */
export interface Masked<P> {
  readonly references: readonly P[];
  readonly images: readonly (P | undefined)[];
}

/** Pictures that are judged, with their prompts, and the photos that they are compared with. */
export interface EvaluationSet<P> {
  readonly images: readonly P[];
  /** What each should show, without the identifier. */
  readonly texts: readonly string[];
  /** The subject's photos to compare with. */
  readonly references: readonly P[];
  /** The photos that were trained on, to tell copies; by default the references. */
  readonly trainedOn?: readonly P[] | undefined;
  /** The references and the pictures without their background, where masks are at hand. */
  readonly masked?: Masked<P> | undefined;
}

/** Scores of one picture; those whose judge is missing are left out. */
export interface Scores {
  /** Mean cosine of DINO's class tokens to the references. */
  readonly dino?: number;
  readonly clipI?: number;
  readonly clipT?: number;
  /** (cos + 1) / 2, as in the reward. */
  readonly alignI?: number;
  readonly alignT?: number;
  /** Cosine of DINO's class tokens to the nearest photo that was trained on. */
  readonly nearest?: number;
  /** As `dino`, with the backgrounds masked out; of pictures that have a mask. */
  readonly dinoMasked?: number;
}

export interface Verdict {
  readonly pictures: readonly Scores[];
  /** Means over the pictures. */
  readonly means: Scores;
  /** See `copyRate`. */
  readonly copyRate?: number;
  /** See `diversity`. */
  readonly diversity?: number;
}

/** Judges pictures by DreamBench's metrics and some that do not reward copying. */
export async function judge<P>(set: EvaluationSet<P>, { dino, clip, align }: Judges<P>): Promise<Verdict> {
  const { texts } = set;
  const columns: { name: keyof Scores; values: readonly (number | undefined)[] }[] = [];
  const put = (name: keyof Scores, values: readonly (number | undefined)[]) => columns.push({ name, values });
  let extras: Pick<Verdict, "copyRate" | "diversity"> = {};
  if (dino) {
    const features = await dino.images(set.images);
    const references = await dino.images(set.references);
    const photos = set.trainedOn === undefined ? references : await dino.images(set.trainedOn);
    put(
      "dino",
      features.map((feature) => fidelity(feature, references)),
    );
    put(
      "nearest",
      features.map((feature) => nearest(feature, photos)),
    );
    extras = extrasOf(features, photos, texts);
    if (set.masked) put("dinoMasked", await maskedFidelity(dino, set.masked));
  }
  for (const [kind, encoder, scale] of [
    ["clip", clip, (x: number) => x],
    ["align", align, (x: number) => (x + 1) / 2],
  ] as const) {
    if (encoder === undefined) continue;
    const features = await encoder.images(set.images);
    const references = await encoder.images(set.references);
    const words = await textFeatures(encoder, texts);
    put(
      `${kind}I`,
      features.map((feature) => scale(fidelity(feature, references))),
    );
    put(
      `${kind}T`,
      features.map((feature, i) => scale(cosine(feature, words[i]))),
    );
  }
  const pictures = set.images.map((_, i) => rowOf(columns.map(({ name, values }) => [name, values[i]])));
  return {
    pictures,
    means: rowOf(columns.map(({ name, values }) => [name, meanOf(values.filter(isNumber), (value) => value)])),
    ...extras,
  };
}

/**
 * Scores of the photos themselves, each against the others: what a perfect likeness would reach.
 * @returns no scores for a single photo
 */
export async function judgePhotos<P>(photos: readonly P[], { dino, clip, align }: Judges<P>): Promise<Scores> {
  if (photos.length < 2) return {};
  const likeness = async (encoder: Judge<P>): Promise<number> => {
    const features = await encoder.images(photos);
    return meanOf(features, (feature) =>
      fidelity(
        feature,
        features.filter((other) => other !== feature),
      ),
    );
  };
  return {
    ...(dino && { dino: await likeness(dino) }),
    ...(clip && { clipI: await likeness(clip) }),
    ...(align && { alignI: (1 + (await likeness(align))) / 2 }),
  };
}

function extrasOf(features: readonly Feature[], photos: readonly Feature[], texts: readonly string[]) {
  const prompts = [...new Set(texts)];
  const groups = prompts.map((prompt) => features.filter((_, i) => texts[i] === prompt));
  const [copies, different] = [copyRate(features, photos), diversity(groups)];
  return {
    ...(copies !== undefined && { copyRate: copies }),
    ...(different !== undefined && { diversity: different }),
  };
}

/** Each text is encoded once. */
async function textFeatures(encoder: Required<Judge<never>>, texts: readonly string[]): Promise<Feature[]> {
  const distinct = [...new Set(texts)];
  const features = await encoder.texts(distinct);
  return texts.map((text) => features[distinct.indexOf(text)]);
}

/** Undefined for pictures without a mask. */
async function maskedFidelity<P>(dino: Judge<P>, { references, images }: Masked<P>): Promise<(number | undefined)[]> {
  const bare = await dino.images(references);
  const features = await dino.images(images.filter((image) => image !== undefined));
  const values = features.map((feature) => fidelity(feature, bare)).values();
  return images.map((image) => (image === undefined ? undefined : values.next().value));
}

function isNumber(value: number | undefined): value is number {
  return value !== undefined;
}

function rowOf(entries: readonly (readonly [keyof Scores, number | undefined])[]): Scores {
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}
