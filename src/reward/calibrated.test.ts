import { describe, expect, test } from "vitest";
import { Random } from "../tensor/random.ts";
import { calibratedReward, progressOf, type Progress } from "./calibrated.ts";
import { bestStep } from "./choice.ts";
import { difference, judge } from "./judged.ts";
import { HARMONIC, type Anchors, type RewardScale } from "./scale.ts";

/** The photos are 1 like each other; the starting model's pictures .58 and .62 like them, T .70 and .68; photos' T .60 and .58. */
const START = [
  { alignI: 0.58, alignT: 0.7 },
  { alignI: 0.62, alignT: 0.68 },
];
const ANCHORS: Anchors = {
  photosI: 1,
  pictures: [
    { photosT: 0.6, likeness: true },
    { photosT: 0.58, likeness: true },
  ],
};
const scale: RewardScale = { form: "calibrated", anchors: ANCHORS };
const validations = (...images: readonly (typeof START)[]) =>
  [START, ...images].map((each, i) => ({ step: i * 40, images: each }));

function expectProgress(progress: Progress | undefined, likeness: number, obedience: number): void {
  expect(progress?.likeness).toBeCloseTo(likeness, 12);
  expect(progress?.obedience).toBeCloseTo(obedience, 12);
}

describe("a way from the starting model to the photos", () => {
  test("the starting model is at 0 of it and obeys in full; a copy of the photos is at 1 and obeys nothing: both get next to nothing", () => {
    const copy = [
      { alignI: 1, alignT: 0.6 },
      { alignI: 1, alignT: 0.58 },
    ];
    expect(progressOf(START, START, ANCHORS)).toEqual({ likeness: 0, obedience: 1 });
    expectProgress(progressOf(copy, START, ANCHORS), 1, 0);
    // 1 / (.5 / .02 + .5 / 1)
    for (const images of [START, copy])
      expect(calibratedReward(progressOf(images, START, ANCHORS), 0.5)).toBeCloseTo(0.0392, 4);
  });

  test("halves of both are .5, by hand", () => {
    const half = [
      { alignI: 0.78, alignT: 0.65 },
      { alignI: 0.82, alignT: 0.63 },
    ];
    const progress = progressOf(half, START, ANCHORS);
    expectProgress(progress, 0.5, 0.5);
    for (const lambda of [0, 0.3, 1]) expect(calibratedReward(progress, lambda)).toBeCloseTo(0.5, 12);
  });

  test("a prompt that repaints the subject does not count for the likeness, and does for the obedience", () => {
    const repainted = { ...ANCHORS, pictures: [ANCHORS.pictures[0], { ...ANCHORS.pictures[1], likeness: false }] };
    const images = [
      { alignI: 0.79, alignT: 0.7 },
      { alignI: 0.3, alignT: 0.63 },
    ];
    // (.79 - .58) / (1 - .58); 1 - (0 + .05) / 2 / .1
    expectProgress(progressOf(images, START, repainted), 0.5, 0.75);
  });

  test("is unknown where the reward does not tell its ends apart, or every prompt repaints the subject", () => {
    const alike = { ...ANCHORS, photosI: 0.605 };
    expect(progressOf(START, START, alike)).toBeUndefined();
    const blind = { ...ANCHORS, pictures: START.map(({ alignT }) => ({ photosT: alignT - 0.005, likeness: true })) };
    expect(progressOf(START, START, blind)).toBeUndefined();
    const none = { ...ANCHORS, pictures: ANCHORS.pictures.map((each) => ({ ...each, likeness: false })) };
    expect(progressOf(START, START, none)).toBeUndefined();
    expect(calibratedReward(undefined, 0.5)).toBeNaN();
  });
});

test("the forms choose differently: the harmonic reward takes the copy of the photos, the calibrated one what still obeys", () => {
  const learnt = [
    { alignI: 0.9, alignT: 0.69 },
    { alignI: 0.9, alignT: 0.67 },
  ];
  const copied = [
    { alignI: 0.98, alignT: 0.66 },
    { alignI: 0.98, alignT: 0.64 },
  ];
  const list = validations(learnt, copied);
  expect(bestStep(list, 0.5, HARMONIC)?.step).toBe(80);
  expect(bestStep(list, 0.5, scale)?.step).toBe(40);
  const [, first, second] = judge(list, 0.5, scale);
  expect(difference(list, [1, 2], 0.5, scale).mean).toBeCloseTo(first.reward.mean - second.reward.mean, 12);
});

test("the standard error is the spread of the reward over other pictures of the same model", () => {
  // many sets of 40 pictures whose alignments scatter: the deviation of their rewards is what the bootstrap estimates from one set
  const size = 40;
  const anchors = { photosI: 0.98, pictures: Array.from({ length: size }, () => ({ photosT: 0.59, likeness: true })) };
  const draw = (rng: Random) => {
    const scatter = (around: number, by: number) => around + by * (rng.uniform() - 0.5);
    const start = Array.from({ length: size }, () => ({ alignI: scatter(0.6, 0.2), alignT: scatter(0.69, 0.05) }));
    const later = start.map(({ alignI, alignT }) => ({
      alignI: scatter(alignI + 0.2, 0.2),
      alignT: scatter(alignT - 0.03, 0.05),
    }));
    return judge(
      [
        { step: 0, images: start },
        { step: 40, images: later },
      ],
      0.5,
      { form: "calibrated", anchors },
    )[1].reward;
  };
  const rewards = Array.from({ length: 200 }, (_, i) => draw(new Random(i)));
  const mean = rewards.reduce((sum, { mean: each }) => sum + each, 0) / rewards.length;
  const spread = Math.sqrt(rewards.reduce((sum, { mean: each }) => sum + (each - mean) ** 2, 0) / (rewards.length - 1));
  const told = rewards.reduce((sum, { standardError }) => sum + standardError, 0) / rewards.length;
  expect(told / spread).toBeGreaterThan(0.85);
  expect(told / spread).toBeLessThan(1.15);
});
