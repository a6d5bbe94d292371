import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { packagePath } from "../system/package.ts";
import { loadClipTokenizer } from "./clip.ts";
import { clipVocabulary } from "./clip-vocabulary.ts";

const merges = await readFile(packagePath("models", "original", "clip", "merges.txt"), "utf8");

test("the vocabulary has OpenAI's size, and ids that are known from published checkpoints", () => {
  const { ids } = clipVocabulary(merges);
  expect(Object.keys(ids).length).toBe(49408);
  expect(ids).toMatchObject({
    "!": 0,
    "a</w>": 320,
    "of</w>": 539,
    "the</w>": 518,
    "photo</w>": 1125,
    "cat</w>": 2368,
  });
  expect(ids).toMatchObject({ "dog</w>": 1929, "<|startoftext|>": 49406, "<|endoftext|>": 49407 });
});

test("a tokenizer's folder without a vocabulary takes it, and says itself what pads", async () => {
  const fallbackVocabulary = clipVocabulary(merges);
  const load = (family: string, part = "tokenizer") =>
    loadClipTokenizer(packagePath("models", "original", family, part), { fallbackVocabulary });
  const text = "a photo of a cat";
  const start = [49406, 320, 1125, 539, 320, 2368, 49407];
  expect([...(await load("sd1")).encode(text).ids]).toEqual([...start, ...new Array<number>(70).fill(49407)]);
  expect([...(await load("sd2-v")).encode(text).ids]).toEqual([...start, ...new Array<number>(70).fill(0)]);
  expect([...(await load("sdxl", "tokenizer_2")).encode(text).ids]).toEqual([
    ...start,
    ...new Array<number>(70).fill(0),
  ]);
  await expect(loadClipTokenizer(packagePath("models", "original", "sd1", "tokenizer"))).rejects.toThrow(
    "no tokenizer found",
  );
});
