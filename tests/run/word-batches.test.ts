import { expect, test } from "vitest";
import { readEvents } from "../../src/runs/folder.ts";
import type { TrainRequest } from "../../src/settings/train-settings.ts";
import { makePhotos } from "./cli.ts";
import { runHere, shortRequest } from "./in-process.ts";

/** Methods that learn a word take batches: a step is the mean of so many single ones. */

const photos = await makePhotos(3);

const curvesOf = async (more: Partial<TrainRequest>) => {
  const request = await shortRequest(photos, { classPictures: 4, learningRate: 1e-30, validateEvery: 4, ...more });
  await runHere(request);
  return (await readEvents(request.output)).flatMap((event) => (event.type === "step" ? [event.curves] : []));
};

test.each(["inversion", "custom"] as const)(
  "of %s, in one batch and in several whose gradients are summed",
  async (method) => {
    // weights that do not move: each step's loss is of its draws alone
    const single = await curvesOf({ method, steps: 4 });
    for (const more of [{ batch: 2 }, { accumulate: 2 }]) {
      const steps = await curvesOf({ method, steps: 2, ...more });
      expect(steps).toHaveLength(2);
      for (const [i, { sim }] of steps.entries()) {
        const mean = (single[2 * i].sim + single[2 * i + 1].sim) / 2;
        expect(Math.abs(sim - mean)).toBeLessThan(1e-4 * Math.max(1, mean));
      }
    }
  },
);
