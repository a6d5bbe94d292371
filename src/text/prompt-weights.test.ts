import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { readPlain, readWeights, readWeightsBut } from "./prompt-weights.ts";

const golden = JSON.parse(await readFile("tests/golden/prompts/weights.json", "utf8")) as {
  prompt: string;
  weights: [text: string, weight: number][];
}[];

test.each(golden)("weights of $prompt are diffusers' lpw_stable_diffusion's", ({ prompt, weights }) => {
  const [segment, ...more] = readWeights(prompt);
  expect(more).toEqual([]);
  expect(segment.length).toBe(weights.length);
  for (const [i, { text, weight }] of segment.entries()) {
    expect(text).toBe(weights[i][0]);
    expect(weight).toBeCloseTo(weights[i][1], 12);
  }
});

test("BREAK ends a part, but within a word it is one", () => {
  const texts = (prompt: string) => readWeights(prompt).map((part) => part.map(({ text }) => text).join("|"));
  expect(texts("a dog BREAK a cat")).toEqual(["a dog", "a cat"]);
  expect(texts("a DAYBREAK")).toEqual(["a DAYBREAK"]);
  expect(readWeights("(a BREAK b:1.5)")).toEqual([[{ text: "a", weight: 1.5 }], [{ text: "b", weight: 1.5 }]]);
});

test("a weight may have spaces before its bracket, and one that is no number is text", () => {
  expect(readWeights("(dog: 1.4 )")).toEqual([[{ text: "dog", weight: 1.4 }]]);
  expect(readWeights("at 10:30) [x")[0][0].text).toBe("at 10:30) ");
});

test("without weights a prompt is one piece, and an identifier keeps its brackets", () => {
  expect(readPlain("a (dog:1.4)")).toEqual([[{ text: "a (dog:1.4)", weight: 1 }]]);
  expect(readWeightsBut("[V]")("a [V] (dog:1.4)")).toEqual([
    [
      { text: "a [V] ", weight: 1 },
      { text: "dog", weight: 1.4 },
    ],
  ]);
  expect(readWeightsBut("[V]", "[[V]2]")("a [V] dog (beside:2) a [[V]2] cat")).toEqual([
    [
      { text: "a [V] dog ", weight: 1 },
      { text: "beside", weight: 2 },
      { text: " a [[V]2] cat", weight: 1 },
    ],
  ]);
});
