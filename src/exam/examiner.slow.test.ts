import { expect, test } from "vitest";
import type { Image } from "../images/image.ts";
import { Random } from "../tensor/random.ts";
import { FRAME } from "../world/compose.ts";
import { instanceOf, sampleInstance } from "../world/instance.ts";
import { renderScenes } from "../world/render.ts";
import { sampleScene } from "../world/sample.ts";
import type { Instance, Scene } from "../world/scene.ts";
import { photoScenes, SUBJECTS } from "../world/subjects.ts";
import { openExaminer } from "./examiner.ts";
import { gradeOf, marksOf } from "./grade.ts";
import { QUESTIONS } from "./questions.ts";

const picturesOf = async (scenes: readonly Scene[]): Promise<Image[]> =>
  (await renderScenes(scenes)).map(({ image }) => ({ width: FRAME, height: FRAME, data: image }));

/** What would answer a question: an instance in its scene, from views that the examiner has not seen. */
function scenesOf(instance: Instance): Scene[] {
  return QUESTIONS.map(({ place, colour }, q) => {
    const wanted = { instance, place: place ?? null, colour: colour ?? null, worn: null, style: null };
    return sampleScene(new Random(5).split("test", q), wanted).scene;
  });
}

test.each(SUBJECTS.filter(({ name }) => ["backpack", "cat"].includes(name)).map((subject) => [subject.name, subject]))(
  "real pictures of the %s pass, its own photos obey nothing, and another of its kind is not it",
  { timeout: 120_000 },
  async (_name, subject) => {
    const photos = await picturesOf(photoScenes(subject));
    const examiner = await openExaminer(subject, photos, { threads: 1, device: "cpu" });
    try {
      const numbered = (images: readonly Image[]) => images.map((image, question) => ({ question, image }));
      const other = sampleInstance(new Random(77), subject.className, "heldOut");
      const stranger = await examiner.answers(numbered(await picturesOf(scenesOf(other))));
      const gradeOfAll = async (images: readonly Image[]) =>
        gradeOf(marksOf(await examiner.answers(numbered(images)), stranger, QUESTIONS, examiner.anchors));

      const real = await gradeOfAll(await picturesOf(scenesOf(instanceOf(subject.className, subject.seed))));
      expect(real.good.mean).toBeGreaterThan(0.9);
      expect(real.identity.mean).toBeGreaterThan(0.85);
      expect(real.obedience.mean).toBeGreaterThan(0.8);
      const copies = await gradeOfAll(QUESTIONS.map((_, q) => photos[q % photos.length]));
      expect(Math.abs(copies.obedience.mean)).toBeLessThan(0.1);
      expect(copies.good.mean).toBe(0);
      const another = gradeOf(marksOf(stranger, stranger, QUESTIONS, examiner.anchors));
      expect(another.identity.mean).toBe(0);
      expect(stranger.filter(({ isSubject }) => isSubject === true)).toHaveLength(0);
    } finally {
      await examiner.release();
    }
  },
);
