import { join } from "node:path";
import { expect, test } from "vitest";
import { cropSquare } from "../../src/images/crop.ts";
import { readImage } from "../../src/images/read.ts";
import { readEvents } from "../../src/runs/folder.ts";
import { makePhotos, MODEL, rpo } from "./cli.ts";
import { atStep, runHere, shortRequest } from "./in-process.ts";

/** Class pictures that are given and not drawn. */

const photos = await makePhotos(2);
const classFolder = await makePhotos(3);
const asked = (method: "dreambooth" | "custom") => shortRequest(photos, { method, classFolder, classPictures: 4 });

test.each(["dreambooth", "custom"] as const)(
  "%s takes them cut as photos are, and ends the same after a stop",
  async (method) => {
    const whole = await asked(method);
    await runHere(whole);
    const events = await readEvents(whole.output);
    const taken = events.filter((event) => event.type === "starting-picture");
    expect(taken).toHaveLength(4);
    for (const [i, { image }] of taken.entries()) {
      const kept = await readImage(join(whole.output, image));
      const { width } = kept;
      expect(kept).toEqual(cropSquare(await readImage(join(classFolder, `${i % 3}.jpg`)), width, "center"));
    }
    const stopped = await asked(method);
    await runHere(stopped, { until: atStep(2) });
    await runHere(stopped, { resume: true });
    const curves = async (run: string) =>
      (await readEvents(run)).flatMap((event) => (event.type === "step" ? [event.curves] : []));
    expect(await curves(stopped.output)).toEqual(await curves(whole.output));
  },
);

test("a folder that is none, or holds no pictures, is refused before any work", async () => {
  const train = (folder: string) =>
    rpo([
      ...["train", "--model", MODEL, "--reward", "tiny", "--images", photos, "--class", "dog", "--yes"],
      ...["--method", "dreambooth", "--class-folder", folder],
    ]);
  const none = await train(join(classFolder, "none"));
  expect([none.code, none.stderr]).toEqual([
    2,
    expect.stringContaining("no such folder (expected a folder with pictures of the class)"),
  ]);
  const empty = await train(join(MODEL, "unet"));
  expect([empty.code, empty.stderr]).toEqual([2, expect.stringContaining("no pictures in it")]);
});
