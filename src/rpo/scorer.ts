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
  const textFeatures = async (texts: readonly string[]): Promise<Feature[]> => {
    const unknown = [...new Set(texts)].filter((text) => !known.has(text));
    if (unknown.length > 0) (await encoder.texts(unknown)).forEach((feature, i) => known.set(unknown[i], feature));
    return texts.map((text) => known.get(text) ?? new Float32Array());
  };
  return {
    async score(images, rewardTexts) {
      const features = await encoder.images(images);
      const texts = await textFeatures(rewardTexts);
      return features.map((feature, i) => ({
        alignI: alignImage(feature, references),
        alignT: alignText(feature, texts[i]),
      }));
    },
    async photoAlignment(photo, rewardText) {
      const [text] = await textFeatures([rewardText]);
      return alignText(references[photo], text);
    },
  };
}
