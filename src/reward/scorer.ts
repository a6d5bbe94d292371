import type { PictureSource } from "../images/image-cache.ts";
import type { Image } from "../images/image.ts";
import type { FeatureEncoder } from "../checkpoints/feature-encoder.ts";
import { ModelError } from "../system/errors.ts";
import { say, setting } from "../system/message.ts";
import type { Feature } from "../tensor/feature.ts";
import { mean } from "./statistics.ts";
import { alignImage, alignText, type Alignment } from "./reward.ts";

/** A picture's scores, and how near it is to a single photo. */
export interface NearestAlignment extends Alignment {
  /** ALIGN-I with the photo that it is most like. */
  readonly nearestI: number;
}

/** Scores pictures against the photos of their subject and their prompts. */
export interface Scorer {
  /**
   * @param subject which one the pictures are of, from 0
   * @throws ModelError when a score is no number: nothing could be chosen by it
   */
  score(images: readonly Image[], rewardTexts: readonly string[], subject?: number): Promise<Alignment[]>;
  /** {@link Scorer.score}, with what tells copies. */
  scoreNearest(images: readonly Image[], rewardTexts: readonly string[], subject?: number): Promise<NearestAlignment[]>;
  /** ALIGN-T of photo `photo` with a text. */
  photoAlignment(photo: number, rewardText: string): Promise<number>;
  /** ALIGN-I of the photos with each other, over their pairs; 1 of a single photo. Of several subjects the mean of theirs. */
  readonly photosI: number;
  /**
   * ALIGN-I of the two photos that are most like each other: a picture that is nearer than that to a photo is a copy of it.
   * @param photos which ones, by their places: one that is there twice should count once
   * @returns undefined of fewer than two
   */
  closest(photos: readonly number[]): number | undefined;
  /** Mean ALIGN-T of a subject's photos with a text. */
  photosAlignment(rewardText: string, subject?: number): Promise<number>;
}

/**
 * A scorer for one subject, or several: the photos' features are computed once, and so are each text's.
 * @param subjects of each photo, from 0. Default: all are of one
 */
export async function createScorer(
  encoder: FeatureEncoder,
  photos: readonly PictureSource[],
  subjects: readonly number[] = photos.map(() => 0),
): Promise<Scorer> {
  const references: Feature[] = [];
  // one after the other: many large ones do not fit in memory together
  for (const photo of photos) references.push(...(await encoder.images([await photo()])));
  const known = new Map<string, Feature>();
  const textFeature = async (text: string): Promise<Feature> => {
    let feature = known.get(text);
    if (feature === undefined) {
      [feature] = await encoder.texts([text]);
      known.set(text, feature);
    }
    return feature;
  };
  const groups = Array.from({ length: Math.max(0, ...subjects) + 1 }, (_, subject) =>
    references.filter((_, i) => subjects[i] === subject),
  );
  const scoreNearest: Scorer["scoreNearest"] = async (images, rewardTexts, subject = 0) => {
    const own = groups[subject];
    const features = await encoder.images(images);
    const scores: NearestAlignment[] = [];
    for (const [i, feature] of features.entries()) {
      const alignI = alignImage(feature, own);
      const alignT = alignText(feature, await textFeature(rewardTexts[i]));
      if (!Number.isFinite(alignI + alignT))
        throw new ModelError(
          say`the reward of a picture of "${rewardTexts[i]}" is no number (ALIGN-I ${alignI}, ALIGN-T ${alignT}): is ${setting("reward")} a trained ALIGN model?`,
        );
      const nearestI = Math.max(...own.map((photo) => alignImage(feature, [photo])));
      scores.push({ alignI, alignT, nearestI });
    }
    return scores;
  };
  return {
    photosI: mean(groups.map((own) => meanOr1(pairsOf(own)))),
    closest(photos) {
      const alike = pairsOf(photos.map((photo) => references[photo]));
      return alike.length === 0 ? undefined : Math.max(...alike);
    },
    async photosAlignment(rewardText, subject = 0) {
      const text = await textFeature(rewardText);
      return mean(groups[subject].map((photo) => alignText(photo, text)));
    },
    scoreNearest,
    async score(images, rewardTexts, subject) {
      return (await scoreNearest(images, rewardTexts, subject)).map(({ alignI, alignT }) => ({ alignI, alignT }));
    },
    async photoAlignment(photo, rewardText) {
      return alignText(references[photo], await textFeature(rewardText));
    },
  };
}

/** ALIGN-I of each pair of photos. */
function pairsOf(photos: readonly Feature[]): number[] {
  return photos.flatMap((photo, i) => photos.slice(i + 1).map((other) => alignImage(photo, [other])));
}

function meanOr1(values: readonly number[]): number {
  return values.length === 0 ? 1 : mean(values);
}
