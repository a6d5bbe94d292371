import { expect, test } from "vitest";
import { parseSchedulerConfig } from "../diffusion/config.ts";
import { noiseSchedule } from "../diffusion/schedule.ts";
import { Random } from "../tensor/random.ts";
import { float32 } from "../tensor/tensor.ts";
import { pictureFeeds } from "./picture-feeds.ts";

const [CHANNELS, AREA] = [4, 6];
const zeros = float32(new Float32Array(CHANNELS * AREA), [CHANNELS, 2, 3]);
const picture = { mean: zeros, deviation: zeros };
const schedule = noiseSchedule(parseSchedulerConfig("{}", "scheduler_config.json"));

/** What the model should predict: the noise. */
function noiseOf(noiseOffset: number): Float32Array {
  const feeds = pictureFeeds("ref", picture, 500, new Random(1), { schedule, scaling: 1, settings: { noiseOffset } });
  const target = feeds["ref.target"];
  expect(target.shape).toEqual([1, CHANNELS, 2, 3]);
  return target.data as Float32Array;
}

test("without an offset the noise is the step's, to the bit", () => {
  expect(noiseOf(0)).toEqual(new Random(1).split("ref noise").normal([1, CHANNELS, 2, 3]).data);
});

test("with one, each channel is moved by a normal number times it, drawn apart from the noise", () => {
  const shifts = new Random(1).split("ref noise offset").normal([1, CHANNELS, 1, 1]).data;
  const [plain, moved] = [noiseOf(0), noiseOf(0.1)];
  for (let i = 0; i < CHANNELS * AREA; i++) {
    const channel = Math.floor(i / AREA);
    expect(moved[i] - plain[i], `channel ${channel}`).toBeCloseTo(0.1 * shifts[channel], 6);
  }
  expect(new Set(shifts).size).toBe(CHANNELS);
});
