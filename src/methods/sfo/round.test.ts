import { expect, test } from "vitest";
import { fillPrompt } from "../../training/prompts.ts";
import { pairOf, round } from "./round.ts";

const settings = { seed: 3, roundEvery: 10, roundPictures: 2, positives: "own", degraded: "both" } as const;
const fill = (text: string) => fillPrompt({ text }, { token: "[V]", class: "dog" });
const training = ["a {token} {class} on the Moon", "a {token} {class} in the snow"].map(fill);
const prompts = { plain: fill("a photo of {token} {class}"), training, validation: training };

test("a round has each prompt whole, without the identifier and without the scene, from the same noises", () => {
  const pictures = round(10, settings, prompts);
  expect(pictures).toHaveLength(12);
  const moon = pictures.filter(({ promptIndex, index }) => promptIndex === 0 && index === 1);
  expect(moon.map(({ use, text }) => [use, text])).toEqual([
    ["own", "a [V] dog on the Moon"],
    ["subjectless", "a dog on the Moon"],
    ["sceneless", "a photo of [V] dog"],
  ]);
  expect(new Set(moon.map(({ seed }) => seed)).size).toBe(1);
  expect(new Set(pictures.map(({ seed }) => seed)).size).toBe(4);
  expect(round(20, settings, prompts).map(({ seed }) => seed)).not.toEqual(pictures.map(({ seed }) => seed));
  expect(round(11, settings, prompts)).toEqual([]);
});

test("for photos the negatives are of their own prompt without the identifier", () => {
  const pictures = round(0, { ...settings, positives: "photos" }, prompts);
  expect(pictures.map(({ use, text, promptIndex }) => [use, text, promptIndex])).toEqual([
    ["subjectless", "a photo of dog", 0],
    ["subjectless", "a photo of dog", 0],
  ]);
});

test("pairs come round: each prompt, picture and lack once before any comes again", () => {
  const pairs = Array.from({ length: 8 }, (_, i) => JSON.stringify(pairOf(i + 1, settings, 2)));
  expect(new Set(pairs).size).toBe(8);
});
