import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadBertTokenizer } from "../../text/bert.ts";
import { sampleOf } from "../pictures.ts";
import { createTextBatcher, meaningOf } from "./batches.ts";
import { CAPTION_LENGTH } from "./recipes.ts";
import { bertVocabulary, writeBertTokenizer } from "./vocabulary.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rpo-batches-"));
  await writeBertTokenizer(folder, bertVocabulary(), 64);
});
afterAll(() => rm(folder, { recursive: true }));

test("every caption is whole words, and fits", async () => {
  const vocabulary = bertVocabulary();
  const tokenizer = await loadBertTokenizer(folder);
  const encode = createTextBatcher(tokenizer, CAPTION_LENGTH);
  for (let i = 0; i < 2000; i++) {
    const { caption } = sampleOf("another set", i);
    const { ids, mask } = encode([caption]);
    const tokens = [...ids.data].filter((_, k) => mask.data[k] === 1).map((id) => vocabulary[id]);
    expect(tokens[0] + tokens[tokens.length - 1]).toBe("[CLS][SEP]");
    expect(tokens.slice(1, -1).join("")).toBe(caption.toLowerCase().replaceAll(" ", ""));
    expect(tokens.length - 2).toBe(caption.replace("'s", " ' s").split(" ").length);
  }
});

test("a text that is too long is refused by name", async () => {
  const encode = createTextBatcher(await loadBertTokenizer(folder), 4);
  expect(() => encode(["a red dog"])).toThrow('"a red dog" has more than 4 tokens');
});

test("captions of the same scene in other words mean the same, of another place they do not", () => {
  const wanted = { className: "can", place: "snow", colour: "red", style: null } as const;
  const one = sampleOf("a", 1, wanted).scene;
  expect(meaningOf(sampleOf("b", 2, wanted).scene)).toBe(meaningOf(one));
  expect(meaningOf(sampleOf("b", 2, { ...wanted, place: "beach" }).scene)).not.toBe(meaningOf(one));
});
