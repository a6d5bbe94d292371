import { expect, test } from "vitest";
import { packagePath } from "../system/package.ts";
import { readImage } from "../images/read.ts";
import { INSTANCE_SEEDS } from "./instance.ts";
import { renderScenes } from "./render.ts";
import { plainKindOf } from "./places/plain.ts";
import { SURROUNDINGS } from "../settings/surroundings.ts";
import { photoScenes, SUBJECTS } from "./subjects.ts";

test("the demo's subjects are of different classes, and no model was pretrained on them", () => {
  expect(SUBJECTS.length).toBeGreaterThanOrEqual(6);
  expect(new Set(SUBJECTS.map(({ className }) => className)).size).toBe(SUBJECTS.length);
  const { first, count } = INSTANCE_SEEDS.heldOut;
  for (const { seed } of SUBJECTS) expect(seed >= first && seed < first + count).toBe(true);
});

test("a subject's photos show one instance in different views, without anything that a prompt names", () => {
  for (const subject of SUBJECTS) {
    const scenes = photoScenes(subject);
    expect(new Set(scenes.map(({ view }) => JSON.stringify(view))).size).toBe(scenes.length);
    for (const scene of scenes) {
      expect(scene.instance).toEqual(scenes[0].instance);
      expect([scene.place, scene.colour, scene.worn, scene.style]).toEqual([
        undefined,
        undefined,
        undefined,
        undefined,
      ]);
    }
  }
});

test("at home a subject's photos stand in one room, in the garden on one lawn, mixed each somewhere else; the views are the same", () => {
  for (const subject of SUBJECTS) {
    const [home, garden, mixed] = SURROUNDINGS.map((surroundings) => photoScenes(subject, surroundings));
    const seeds = [home, garden, mixed].map((scenes) => [...new Set(scenes.map(({ seed }) => seed))]);
    expect(seeds.map(({ length }) => length)).toEqual([1, 1, mixed.length]);
    expect([plainKindOf(home[0].seed), plainKindOf(garden[0].seed)]).toEqual(["room", "lawn"]);
    for (const scenes of [garden, mixed]) expect(scenes.map(({ view }) => view)).toEqual(home.map(({ view }) => view));
  }
});

test("the photos and masks in the package are what the scenes render to", async () => {
  for (const subject of SUBJECTS) {
    const rendered = await renderScenes(photoScenes(subject, "home"), { masks: true });
    for (const [i, { image, mask = new Uint8Array() }] of rendered.entries()) {
      const path = (...parts: string[]) =>
        packagePath("models", "tiny", "subjects", subject.name, ...parts, `${String(i + 1).padStart(2, "0")}.png`);
      expect(meanDifference((await readImage(path())).data, image)).toBeLessThan(1);
      const stored = (await readImage(path("masks"))).data.filter((_, at) => at % 3 === 0);
      expect(meanDifference(stored, mask)).toBeLessThan(1);
    }
  }
});

/** In grey levels; other versions of the SVG library draw edges a little differently. */
function meanDifference(a: Uint8Array, b: Uint8Array): number {
  expect(a.length).toBe(b.length);
  return a.reduce((sum, value, i) => sum + Math.abs(value - b[i]), 0) / a.length;
}
