import { expect, test } from "vitest";
import { curveSvg } from "../card.ts";
import { identityGap, instanceRetrieval, passes, recallAtOne } from "./figures.ts";
import { questionsOn, rightAnswers, textsOf } from "./questions.ts";
import { heldOutScenes } from "./held-out.ts";
import { PLACE_WORDS } from "../../world/testing/place-words.ts";

const at = (degrees: number) =>
  Float32Array.of(Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180));
const cos = (degrees: number) => Math.cos((degrees * Math.PI) / 180);

test("recall at 1 counts the queries whose nearest item is right", () => {
  const found = recallAtOne([at(0), at(40), at(90)], [at(2), at(85), at(45)], (query, item) => query === item);
  expect(found).toBeCloseTo(1 / 3, 12); // 40 is nearest to item 2, 90 to item 1
});

// two classes; in the second the two instances are exchanged
const views = {
  first: [
    [at(0), at(90)],
    [at(0), at(90)],
  ],
  second: [
    [at(10), at(80)],
    [at(80), at(10)],
  ],
};

test("an instance is sought among those of its own class only", () => {
  expect(instanceRetrieval(views)).toBe(0.5);
});

test("the gap is between views of one instance and of others of its class, as ALIGN-I measures", () => {
  const { same, other } = identityGap({ first: [[at(0), at(90)]], second: [[at(10), at(60)]] });
  expect(same).toBeCloseTo((2 + cos(10) + cos(30)) / 4, 6);
  expect(other).toBeCloseTo((2 + cos(60) + cos(80)) / 4, 6);
});

test("a figure without a bar passes, one below its bar does not", () => {
  expect(
    [{ value: 0 }, { value: 0.7, bar: 0.7 }, { value: 0.69, bar: 0.7 }].map((f) => passes({ what: "", ...f })),
  ).toEqual([true, true, false]);
});

test("questions ask for what the caption names, and the true answer's words are the caption's", () => {
  for (const { scene, caption } of heldOutScenes(200)) {
    const questions = questionsOn(scene);
    expect(questions.map(({ about }) => about)).toEqual([
      "class",
      ...(scene.place ? ["place"] : []),
      ...(scene.colour ? ["colour"] : []),
    ]);
    for (const { about, texts, answer } of questions) {
      expect(new Set(texts).size).toBe(texts.length);
      if (about === "place" && scene.place)
        for (const [place, words] of Object.entries(PLACE_WORDS))
          expect(words.test(texts[answer]), texts[answer]).toBe(place === scene.place);
      if (about === "colour") expect(caption).toContain(`${scene.colour ?? ""} ${scene.instance.className}`);
      expect(texts[answer]).toContain(about === "colour" ? (scene.colour ?? "") : scene.instance.className);
    }
  }
});

test("a judge that knows everything answers all questions, one that knows nothing the first of each", () => {
  const scenes = heldOutScenes(60).map(({ scene }) => scene);
  const texts = textsOf(scenes);
  const axis = (i: number) => Float32Array.from(texts, (_, k) => (k === i ? 1 : 0));
  const features = new Map(texts.map((text, i) => [text, axis(i)]));
  const knowing = scenes.map((scene) => ({
    scene,
    feature: Float32Array.from(texts, (text) =>
      questionsOn(scene).some((question) => question.texts[question.answer] === text) ? 0.5 : 0,
    ),
  }));
  expect(rightAnswers(knowing, features)).toEqual({ class: 1, place: 1, colour: 1 });
  const blind = scenes.map((scene) => ({ scene, feature: new Float32Array(texts.length) }));
  const dogs = scenes.filter(({ instance }) => instance.className === "dog").length;
  expect(rightAnswers(blind, features).class).toBeCloseTo(dogs / 60, 12);
});

test("a curve starts at its first value and ends at its last", () => {
  const svg = curveSvg(
    [
      { step: 50, loss: 4 },
      { step: 100, loss: 1 },
    ],
    ["loss"],
  );
  expect(svg).toContain('points="240.0,36.0 444.0,132.0"'); // half of 36 ... 444; 4 of 4 and 1 of 4 over 36 ... 164
  expect(svg).toContain(">step 100<");
});
