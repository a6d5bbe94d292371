import type { Image } from "../images/image.ts";
import type { FeatureEncoder } from "../checkpoints/feature-encoder.ts";
import { alignImage, alignText, type Alignment, type Feature } from "./reward.ts";

/** Scores pictures against the photos and their prompts. */
export interface Scorer {
  score(images: readonly Image[], rewardTexts: readonly string[]): Promise<Alignment[]>;
  /** ALIGN-T of photo `photo` with a text. */
  photoAlignment(photo: number, rewardText: string): Promise<number>;
}

/** A scorer for one subject: the photos' features are computed once, and so are each text's. */
export async function createScorer(encoder: FeatureEncoder, photos: readonly Image[]): Promise<Scorer> {
  const references = await encoder.images(photos);
  const known = new Map<string, Feature>();
  const textFeature = async (text: string): Promise<Feature> => {
    let feature = known.get(text);
    if (feature === undefined) {
      [feature] = await encoder.texts([text]);
      known.set(text, feature);
    }
    return feature;
  };
  return {
    async score(images, rewardTexts) {
      const features = await encoder.images(images);
      const scores: Alignment[] = [];
      for (const [i, feature] of features.entries())
        scores.push({
          alignI: alignImage(feature, references),
          alignT: alignText(feature, await textFeature(rewardTexts[i])),
        });
      return scores;
    },
    async photoAlignment(photo, rewardText) {
      return alignText(references[photo], await textFeature(rewardText));
    },
  };
}
