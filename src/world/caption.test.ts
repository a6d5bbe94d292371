import { describe, expect, test } from "vitest";
import { Random } from "../tensor/random.ts";
import { captionOf, promptOf } from "./caption.ts";
import { evalPrompts, trainingPrompts } from "./prompts.ts";
import { sampleScene } from "./sample.ts";
import { PLACE_WORDS } from "./testing/place-words.ts";

const rng = new Random(3);

describe("captions", () => {
  test("name the class and every attribute, and nothing that the scene lacks", () => {
    for (let i = 0; i < 2000; i++) {
      const { scene, caption } = sampleScene(rng.split("caption", i));
      expect(caption).toContain(scene.instance.className);
      for (const [place, word] of Object.entries(PLACE_WORDS))
        expect(word.test(caption), caption).toBe(scene.place === place);
      expect(/Gogh/.test(caption), caption).toBe(scene.style === "van gogh");
      expect(/pencil/.test(caption), caption).toBe(scene.style === "pencil sketch");
      expect(/wearing|outfit/.test(caption), caption).toBe(scene.worn !== undefined);
      if (scene.colour) expect(caption).toMatch(new RegExp(`an? ${scene.colour} ${scene.instance.className}`));
    }
  });

  test("never tell what makes an instance itself", () => {
    const wanted = { className: "teapot", place: null, colour: null, style: null } as const;
    const captions = new Set(Array.from({ length: 200 }, () => sampleScene(rng, wanted).caption));
    const said = ["a teapot", "a photo of a teapot", "a picture of a teapot", "an image of a teapot"];
    expect([...captions].sort()).toEqual(said.sort());
  });

  test("take the article that the next word wants", () => {
    expect(promptOf({ colour: "orange" }, "boot", false)).toBe("an orange boot");
    expect(promptOf({ worn: { item: "hat", colour: "orange" } }, "cat", true)).toBe("a cat wearing an orange hat");
  });

  test("vary in wording, and are the same for the same seed", () => {
    const { scene } = sampleScene(rng, { className: "can", place: "mountain", colour: "red", style: null });
    const captions = Array.from({ length: 60 }, (_, seed) => captionOf(scene, new Random(seed)));
    expect(new Set(captions).size).toBeGreaterThan(5);
    expect(captionOf(scene, new Random(5))).toBe(captions[5]);
  });
});

describe("prompts", () => {
  test.each(["object", "live"] as const)("of %s subjects: 25 for evaluation, 8 for training, none in both", (kind) => {
    const evaluation = evalPrompts(kind).map(({ text }) => text);
    const training = trainingPrompts(kind).map(({ text }) => text);
    expect([evaluation.length, training.length]).toEqual([25, 8]);
    expect(new Set([...evaluation, ...training]).size).toBe(33);
    for (const text of [...evaluation, ...training]) expect(text).toMatch(/\{token\} \{class\}/);
  });

  test("use the words of DreamBench and RPO where the world knows the thing", () => {
    const texts = (["object", "live"] as const).flatMap((kind) => [...evalPrompts(kind), ...trainingPrompts(kind)]);
    // copied from DreamBench's prompts_and_classes.txt and RPO's training prompts
    const theirs = [
      "a {token} {class} in the jungle",
      "a {token} {class} on top of pink fabric",
      "a {token} {class} on top of a wooden floor",
      "a {token} {class} with a wheat field in the background",
      "a {token} {class} floating on top of water",
      "a {token} {class} wearing a red hat",
      "a {token} {class} wearing a santa hat",
      "a {token} {class} wearing a rainbow scarf",
      "a {token} {class} wearing pink glasses",
      "a {token} {class} wearing a yellow shirt",
      "a {token} {class} in a purple wizard outfit",
      "a purple {token} {class}",
      "a {token} {class} in Vincent Van Gogh rendition",
      "a {token} {class} on the Moon",
      "a green {token} {class}",
      "a {token} {class} with a volcano in the background",
      "a {token} {class} wearing a green outfit",
      "a {token} {class} is swimming in a pool",
    ];
    expect(texts.map(({ text }) => text)).toEqual(expect.arrayContaining(theirs));
  });
});
