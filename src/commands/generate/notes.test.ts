import { describe, expect, test } from "vitest";
import { drawingNotes, unusedWordNotes } from "./notes.ts";

const asked = { prompts: ["a dog", "a (cat:1.2)"], negative: undefined, token: "[V]", adapter: undefined };
const photo = { path: "room.png", encoder: "clip", weight: 1, textWeight: 1 };
const word = { path: "word.safetensors", word: "sks", vectors: [] };

describe("prompts without the identifier, with brackets of other programs and without a word that is there", () => {
  test("are told where they count, beside a photo too", () => {
    const notes = [expect.stringContaining("(cat:1.2)"), expect.stringContaining("without the identifier [V]")];
    for (const drawn of [asked, { ...asked, photo }]) {
      expect(drawingNotes(drawn)).toEqual(notes);
      expect(unusedWordNotes(drawn, [word])).toEqual([expect.stringContaining("its word, sks, is in no prompt")]);
    }
  });

  test("of several subjects one is enough, and none is a word that nobody asked for", () => {
    const several = { ...asked, prompts: ["a <new2> pot"], token: "<new1>", otherTokens: ["<new2>"], adapter: "run/1" };
    expect(drawingNotes(several)).toEqual([]);
    expect(drawingNotes({ ...several, prompts: ["a pot"] })).toEqual([expect.stringContaining("<new1>")]);
    const [own, other] = [1, 2].map((n) => ({ ...word, path: `run/1/word-${n}.safetensors`, word: `<new${n}>` }));
    const beside = { ...word, path: "run/1-words/sks.safetensors" };
    expect(unusedWordNotes(several, [own, other, beside])).toEqual([
      expect.stringContaining("its word, sks, is in no prompt"),
    ]);
  });

  test("are not where the photo alone draws", () => {
    const alone = { ...asked, photo: { ...photo, textWeight: 0 } };
    expect([...drawingNotes(alone), ...unusedWordNotes(alone, [word])]).toEqual([]);
  });
});
