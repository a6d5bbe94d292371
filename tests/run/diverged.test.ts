import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readProgress } from "../../src/runs/state.ts";
import { eventsOf, makePhotos } from "./cli.ts";
import { runHere, shortRequest } from "./in-process.ts";

/** A rate so large that a step makes weights which are numbers, and pictures which are none. */

const photos = await makePhotos(2);

test("a step that overshoots just before a validation is told as a divergence, and what was saved before stays", async () => {
  const request = await shortRequest(photos, { learningRate: 1e30, steps: 2, validateEvery: 1 });
  const running = runHere(request);
  await expect(running).rejects.toThrow(
    "step 1: training has diverged, the pictures drawn after it are no numbers any more; start anew with a lower lr than 1e+30",
  );
  await expect(running).rejects.toThrow(`${request.output}: rpo generate draws with the best of them`);
  await expect(running).rejects.not.toThrow("whole, trained weights");
  expect(await readProgress(request.output)).toMatchObject({ step: 0, finished: false });
  expect(JSON.parse(await readFile(join(request.output, "best.json"), "utf8"))).toMatchObject({ step: 0 });
  expect(await readdir(join(request.output, "images"))).not.toContain("validation-000001-00-0.png");
  const events = await eventsOf(request.output);
  expect(events.at(-1)).toMatchObject({ type: "error", step: 1 });
});

test("so is a round of pictures that the model draws to learn from", async () => {
  const request = await shortRequest(photos, {
    ...{ method: "sfo", roundEvery: 1, roundPictures: 2 },
    ...{ learningRate: 1e30, steps: 2, validateEvery: 2 },
  });
  await expect(runHere(request)).rejects.toThrow("step 1: training has diverged, the pictures drawn after it");
});
