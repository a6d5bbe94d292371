import { expect, test } from "vitest";
import type { Generator } from "../diffusion/text-to-image.ts";
import { TRAIN_DEFAULTS, type TrainSettings } from "../settings/train-settings.ts";
import { zeros } from "../tensor/tensor.ts";
import { createImageSampler } from "./image-sampler.ts";

const settings: TrainSettings = {
  ...TRAIN_DEFAULTS,
  ...{ model: "m", reward: "r", images: "i", class: "dog", output: "o", learningRate: 1, resolution: 512, threads: 1 },
};

/** A sampler of pictures of 512 pixels, one at a time, that keeps a log of what is drawn. */
function sampler(log: string[]) {
  const generator = {
    generate: ({ starts }: { readonly starts: readonly number[] }) => {
      log.push(`draw ${starts.join()}`);
      return Promise.resolve([zeros([3, 8, 8])]);
    },
  } as unknown as Generator;
  const embedding = { states: zeros([1, 1]), pooled: undefined };
  const control = {
    emit: () => undefined,
    signal: new AbortController().signal,
    confirm: () => Promise.resolve(true),
  };
  return createImageSampler(generator, settings, 64, { length: 1, of: () => embedding }, control);
}

const pictures = [1, 2, 3].map((seed) => ({ text: "a dog", seed }));

test("pictures are finished in their order, while the next ones are drawn", async () => {
  const log: string[] = [];
  const done = async (_: unknown, { seed }: { readonly seed: number }): Promise<void> => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    log.push(`done ${seed}`);
  };
  expect(await sampler(log).draw(pictures, { phase: "validation", done })).toBe(true);
  expect(log).toEqual(["draw 1", "draw 2", "done 1", "draw 3", "done 2", "done 3"]);
});

test("a picture that cannot be finished ends the drawing, and the error is told", async () => {
  const log: string[] = [];
  const done = () => Promise.reject(new Error("no space is left"));
  await expect(sampler(log).draw(pictures, { phase: "validation", done })).rejects.toThrow("no space is left");
  expect(log).toEqual(["draw 1", "draw 2"]);
});
