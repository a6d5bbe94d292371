import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openAlign, openClip, openDino } from "../../checkpoints/encoders.ts";
import { loadBertTokenizer } from "../../text/bert.ts";
import { loadClipTokenizer } from "../../text/clip.ts";
import { CLASS_NAMES } from "../../world/scene.ts";
import type { Course, Weights } from "../loop.ts";
import { openPictures, type PictureSet } from "../pictures.ts";
import { lossesOnOneBatch, takeCourse } from "../testing/take-course.ts";
import { specialIds, worldBytePairs, writeClipTokenizer } from "../tokenizer.ts";
import { openAlbum, type Album } from "./albums.ts";
import { alignCourse } from "./align.ts";
import { clipCourse } from "./clip.ts";
import { dinoCourse } from "./dino.ts";
import { writeAlignFolder, writeClipFolder, writeDinoFolder } from "./folders.ts";
import { measureStatistics } from "./statistics.ts";
import { bertVocabulary, writeBertTokenizer } from "./vocabulary.ts";
import { failureWith } from "../../system/message.ts";
import type { Message } from "../../system/named-setting.ts";

const session = { threads: 2 };
const bytePairs = worldBytePairs();
const vocabulary = bertVocabulary();
const batch = 16;

let folder: string;
let pictures: PictureSet;
let album: Album;
const at = (name: string) => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rpo-judges-"));
  pictures = await openPictures({ folder, name: "pictures", count: 48 });
  album = await openAlbum({ folder, name: "album", instances: 4 * CLASS_NAMES.length, views: 2 });
  await writeBertTokenizer(at("bert"), vocabulary, 64);
  await writeClipTokenizer(at("byte-pairs"), bytePairs, 32);
});
afterAll(() => rm(folder, { recursive: true }));

const courses: Readonly<Record<string, (steps: number) => Promise<Course>>> = {
  align: async (steps) =>
    alignCourse({ pictures, album, tokenizer: await loadBertTokenizer(at("bert")), steps, batch }),
  clip: async (steps) =>
    clipCourse({
      pictures,
      tokenizer: await loadClipTokenizer(at("byte-pairs")),
      special: specialIds(bytePairs),
      steps,
      batch,
    }),
  dino: (steps) => Promise.resolve(dinoCourse({ album, steps, batch })),
};

/** Writes a judge's folder and opens it. */
const folders: Readonly<Record<string, (folder: string, weights: Weights) => Promise<unknown>>> = {
  async align(out, weights) {
    const statistics = await measureStatistics(weights, pictures, session, { batch: 8, batches: 2 });
    await writeAlignFolder(out, new Map([...weights, ...statistics]), vocabulary);
    return openAlign(out, { warn: failOn });
  },
  async clip(out, weights) {
    await writeClipFolder(out, weights, bytePairs);
    return openClip(out, { warn: failOn });
  },
  async dino(out, weights) {
    await writeDinoFolder(out, weights);
    return openDino(out, { warn: failOn });
  },
};

function failOn(warning: Message): void {
  throw failureWith(warning);
}

describe.each(Object.keys(courses))("%s", (name) => {
  test("learns: ten steps on one batch take a third off its loss", async () => {
    const losses = await lossesOnOneBatch(await courses[name](10), at(`${name}-learns`));
    expect(losses[9]).toBeLessThan(0.67 * losses[0]);
  });

  test("goes on bit for bit where it was stopped, and makes a folder that opens", async () => {
    const whole = await takeCourse(await courses[name](3), at(`${name}-whole`));
    await takeCourse(await courses[name](3), at(`${name}-parts`), 1);
    const resumed = await takeCourse(await courses[name](3), at(`${name}-parts`));
    expect([whole.done, resumed.done]).toEqual([true, true]);
    expect(resumed.average).toEqual(whole.average);
    await folders[name](at(`${name}-folder`), whole.average);
  });
});

test("statistics over several batches are those of all their pictures together", async () => {
  const weights = (await courses["align"](1)).initial;
  const few = await measureStatistics(weights, pictures, session, { batch: 8, batches: 4 });
  const one = await measureStatistics(weights, pictures, session, { batch: 32, batches: 1 });
  // the first norm sees the pictures themselves, whatever the batch
  const [mean, variance] = ["running_mean", "running_var"].map((kind) => `vision_model.embeddings.batchnorm.${kind}`);
  for (const name of [mean, variance]) {
    const [a, b] = [few.get(name), one.get(name)];
    b?.data.forEach((x, i) => expect(a?.data[i]).toBeCloseTo(x, 4));
  }
});
