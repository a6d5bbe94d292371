import { expect, test } from "vitest";
import { loadBertTokenizer } from "./bert.ts";
import { loadClipTokenizer } from "./clip.ts";
import { droppedNote, droppedWords, partsOf } from "./parts.ts";
import { readPlain } from "./prompt-weights.ts";

const clip = await loadClipTokenizer("tests/golden/text/clip-2022-sd1");
const bert = await loadBertTokenizer("tests/golden/text/bert-today");

test("a prompt that fits is one part, as the tokenizer encodes it", () => {
  for (const prompt of ["", "a photo of a dog", "! ".repeat(75)])
    expect(partsOf(clip, readPlain(prompt))).toEqual([{ ids: clip.encode(prompt).ids, weights: undefined }]);
});

test("the parts of a long prompt hold all its tokens, each between a start and an end", () => {
  const prompt = "! ? . , ".repeat(50);
  const parts = partsOf(clip, readPlain(prompt));
  const [start] = clip.encode("").ids;
  expect(parts.map(({ ids }) => ids[0])).toEqual([start, start, start]);
  const inner = parts.flatMap(({ ids }) => [...ids.slice(1, 76)]);
  expect(inner.slice(0, 200)).toEqual(clip.ids(prompt));
});

test("the words that do not fit are named, the one that is cut among them", () => {
  expect(droppedWords(clip, "! ".repeat(75))).toBeUndefined();
  expect(droppedWords(clip, `${"! ".repeat(75)}? .`)).toBe("? .");
  // 74 tokens, then one word of several
  const word = "wxyzwxyz";
  expect(clip.ids(word).length).toBeGreaterThan(1);
  expect(droppedWords(clip, `${"! ".repeat(74)}${word} .`)).toBe(`${word} .`);
  expect(droppedWords(bert, `${"! ".repeat(62)}? .`)).toBe("? .");
});

test("a note names the first text's words, and how many more there are", () => {
  const text = `${"! ".repeat(62)}? .`;
  expect(droppedNote(bert, ["a dog", "a dog"], "the reward")).toBeUndefined();
  expect(droppedNote(bert, [text, text, `${text}.`], "the reward")).toMatch(
    /^the reward reads 62 tokens of a text: of "! ! .*…" it does not read "\? \." \(and the ends of 1 more\)$/,
  );
});
