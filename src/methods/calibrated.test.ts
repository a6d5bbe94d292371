import { expect, test } from "vitest";
import { harmonicReward } from "../reward/reward.ts";
import { calibrate, type Anchors } from "./calibrated.ts";

const anchors: Anchors = { imageStart: 0.6, imagePhotos: 1, textStart: [0.7, 0.8], textPhotos: [0.6, 0.6] };

test("the starting model has the prompt and nothing of the photos, the photos the reverse", () => {
  expect(calibrate({ alignI: 0.6, alignT: 0.7 }, anchors, 0)).toEqual({ alignI: 0.02, alignT: 1 });
  const photo = calibrate({ alignI: 1, alignT: 0.55 }, anchors, 0); // D = (.1 + .2) / 2 = .15 below the start
  expect(photo).toEqual({ alignI: 1, alignT: 0.02 });
});

test("half way in both is a half, by the scale of the picture's own prompt", () => {
  const half = calibrate({ alignI: 0.8, alignT: 0.725 }, anchors, 1); // .8 - .15 / 2
  expect(half.alignI).toBeCloseTo(0.5, 12);
  expect(half.alignT).toBeCloseTo(0.5, 12);
  expect(harmonicReward(half, 0.3)).toBeCloseTo(0.5, 12);
});

test("nothing beyond the ends counts, and a scale without length says nothing", () => {
  expect(calibrate({ alignI: 2, alignT: 2 }, anchors, 0)).toEqual({ alignI: 1, alignT: 1 });
  const flat: Anchors = { imageStart: 0.6, imagePhotos: 0.6, textStart: [0.7], textPhotos: [0.7] };
  expect(calibrate({ alignI: 0.9, alignT: 0.1 }, flat, 0)).toEqual({ alignI: 0.02, alignT: 1 });
});
