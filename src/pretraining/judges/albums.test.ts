import { expect, test } from "vitest";
import { Random } from "../../tensor/random.ts";
import { INSTANCE_SEEDS } from "../../world/instance.ts";
import { CLASS_NAMES } from "../../world/scene.ts";
import { sampleOf } from "../pictures.ts";
import { albumScene, dealPairs, type Album } from "./albums.ts";

const wanted = albumScene({ name: "test-album", views: 3 });
const sceneOf = (index: number) => sampleOf("test-album", index, wanted).scene;
const album: Album = {
  instances: 5 * CLASS_NAMES.length,
  views: 3,
  pictures: {
    count: 15 * CLASS_NAMES.length,
    pixels: () => new Uint8Array(),
    sample: (index) => sampleOf("test-album", index, wanted),
  },
};

test("an album's views of an instance differ in all but the instance, which is never recoloured", () => {
  const [a, b, c, next] = [3, 4, 5, 6].map(sceneOf);
  expect([b.instance, c.instance]).toEqual([a.instance, a.instance]);
  expect(next.instance).not.toEqual(a.instance);
  expect(new Set([a, b, c].map(({ view }) => JSON.stringify(view))).size).toBe(3);
  for (let i = 0; i < 200; i++) expect([sceneOf(i).colour, sceneOf(i).style]).toEqual([undefined, undefined]);
});

test("a held-out album has instances that training never sees", () => {
  const heldOut = albumScene({ name: "test-album", views: 2, split: "heldOut" });
  for (let i = 0; i < 100; i++) {
    expect(heldOut(i).instance?.seed).toBeGreaterThanOrEqual(INSTANCE_SEEDS.heldOut.first);
    expect(wanted(i).instance?.seed).toBeLessThan(INSTANCE_SEEDS.heldOut.first);
  }
});

test("pairs are two views of one instance, every instance once, from as many classes as asked for", () => {
  for (let step = 0; step < 20; step++) {
    const dealt = dealPairs(album, new Random(step), 8, 2);
    const scenes = dealt.map(sceneOf);
    expect(new Set(dealt).size).toBe(16);
    for (let i = 0; i < 16; i += 2) expect(scenes[i + 1].instance).toEqual(scenes[i].instance);
    expect(new Set(scenes.map(({ instance }) => `${instance.className} ${instance.seed}`)).size).toBe(8);
    const classes = scenes.map(({ instance }) => instance.className);
    expect(new Set(classes).size).toBe(2);
    expect(classes.filter((name) => name === classes[0]).length).toBe(8);
  }
});
