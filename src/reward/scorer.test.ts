import { expect, test } from "vitest";
import type { FeatureEncoder } from "../checkpoints/feature-encoder.ts";
import { blankImage } from "../images/image.ts";
import { ModelError } from "../system/errors.ts";
import { createScorer } from "./scorer.ts";

const image = blankImage({ width: 1, height: 1 });
const encoderOf = (feature: readonly number[]): FeatureEncoder => ({
  images: (images) => Promise.resolve(images.map(() => Float32Array.from(feature))),
  texts: (texts) => Promise.resolve(texts.map(() => Float32Array.of(0, 1))),
  release: () => Promise.resolve(),
});

test("a picture like the photo and unlike its prompt has ALIGN-I 1 and ALIGN-T 1/2", async () => {
  const scorer = await createScorer(encoderOf([1, 0]), [image]);
  expect(await scorer.score([image], ["a dog"])).toEqual([{ alignI: 1, alignT: 0.5 }]);
});

test("a score that is no number is an error, not a reward", async () => {
  const scorer = await createScorer(encoderOf([NaN, NaN]), [image]);
  const error: unknown = await scorer.score([image], ["a dog"]).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ModelError);
  expect((error as Error).message).toContain('the reward of a picture of "a dog" is no number (ALIGN-I NaN');
});
