import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadClipTokenizer } from "../text/clip.ts";
import { Random } from "../tensor/random.ts";
import { captionFor } from "./denoiser.ts";
import { learnBytePairs, specialIds, worldBytePairs, writeClipTokenizer } from "./tokenizer.ts";

test("pairs are merged by their frequency, ties by the alphabet", () => {
  const { merges } = learnBytePairs(
    new Map([
      ["low", 5],
      ["lower", 2],
      ["new", 6],
    ]),
  );
  // l o w</w> x5, l o w e r</w> x2, n e w</w> x6: (l, o) 7; then (e, w</w>) and (n, e) 6 each
  expect(merges.slice(0, 3)).toEqual([
    ["l", "o"],
    ["e", "w</w>"],
    ["n", "ew</w>"],
  ]);
});

test("every word of a caption is one token, and [V] is its three characters", async () => {
  const folder = await mkdtemp(join(tmpdir(), "rpo-tokenizer-"));
  const pairs = worldBytePairs();
  await writeClipTokenizer(folder, pairs, 32);
  const tokenizer = await loadClipTokenizer(folder);
  const { ids } = tokenizer.encode("A purple [V] dog wearing a santa hat");
  const tokens = Array.from(ids, (id) => pairs.vocabulary[id]);
  expect(tokens.slice(0, 12)).toEqual([
    "<|startoftext|>",
    "a</w>",
    "purple</w>",
    "[</w>",
    "v</w>",
    "]</w>",
    "dog</w>",
    "wearing</w>",
    "a</w>",
    "santa</w>",
    "hat</w>",
    "<|endoftext|>",
  ]);
  expect(ids).toHaveLength(32);
  expect(specialIds(pairs)).toMatchObject({ vocab_size: tokenizer.vocabularySize, eos_token_id: ids[31] });
  await rm(folder, { recursive: true });
});

test("captions are left out now and then, or get an identifier before the class word alone", () => {
  const rng = new Random(5);
  const texts = Array.from({ length: 2000 }, () => captionFor("a photo of a red toy car in the snow", rng));
  const share = (pattern: RegExp) => texts.filter((text) => pattern.test(text)).length / texts.length;
  expect(share(/^$/)).toBeCloseTo(0.1, 1);
  expect(share(/^a photo of a red \S+ toy car in the snow$/)).toBeCloseTo(0.18, 1);
  expect(share(/^a photo of a red toy car in the snow$/)).toBeCloseTo(0.72, 1);
});
