import { expect, test } from "vitest";
import type { FeatureEncoder } from "../checkpoints/feature-encoder.ts";
import { blankImage } from "../images/image.ts";
import { ModelError } from "../system/errors.ts";
import { createScorer } from "./scorer.ts";

const image = blankImage({ width: 1, height: 1 });
const photo = () => Promise.resolve(image);
const encoderOf = (feature: readonly number[]): FeatureEncoder => ({
  images: (images) => Promise.resolve(images.map(() => Float32Array.from(feature))),
  texts: (texts) => Promise.resolve(texts.map(() => Float32Array.of(0, 1))),
  release: () => Promise.resolve(),
});

test("a picture like the photo and unlike its prompt has ALIGN-I 1 and ALIGN-T 1/2", async () => {
  const scorer = await createScorer(encoderOf([1, 0]), [photo]);
  expect(await scorer.score([image], ["a dog"])).toEqual([{ alignI: 1, alignT: 0.5 }]);
});

test("a score that is no number is an error, not a reward", async () => {
  const scorer = await createScorer(encoderOf([NaN, NaN]), [photo]);
  const error: unknown = await scorer.score([image], ["a dog"]).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ModelError);
  expect((error as Error).message).toContain('the reward of a picture of "a dog" is no number (ALIGN-I NaN');
});

test("a picture is nearest to the photo that it is most like, and the two photos most alike are found", async () => {
  const features = [
    [1, 0],
    [0.6, 0.8],
    [0, 1],
  ];
  let next = 0;
  const encoder: FeatureEncoder = {
    ...encoderOf([0]),
    images: () => Promise.resolve([Float32Array.from(features[next++])]),
  };
  const scorer = await createScorer(encoder, [photo, photo, photo]);
  // cosines: .6, 0 and .8
  expect(scorer.closest([0, 1, 2])).toBeCloseTo(0.9, 6);
  expect(scorer.closest([0, 2])).toBeCloseTo(0.5, 6);
  expect(scorer.closest([0])).toBeUndefined();
  next = 1;
  const [{ nearestI, alignI }] = await scorer.scoreNearest([image], ["a dog"]);
  expect(nearestI).toBeCloseTo(1, 6);
  expect(alignI).toBeCloseTo((0.8 + 1 + 0.9) / 3, 6);
});
