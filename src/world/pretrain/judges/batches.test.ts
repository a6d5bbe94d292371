import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Random } from "../../../tensor/random.ts";
import { loadBertTokenizer } from "../../../text/bert.ts";
import { FRAME } from "../../compose.ts";
import { sampleOf } from "../pictures.ts";
import { createTextBatcher, meaningOf, pixelBatch } from "./batches.ts";
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

test("pixels go from 0 ... 255 to -1 ... 1, channel by channel, and are shifted and mirrored with randomness", () => {
  // red grows to the right, green downwards
  const picture = new Uint8Array(FRAME * FRAME * 3);
  for (let y = 0; y < FRAME; y++) for (let x = 0; x < FRAME; x++) picture.set([4 * x, 4 * y, 255], (y * FRAME + x) * 3);
  const still = pixelBatch([picture]).data;
  const pixel = (data: Float32Array, channel: number, y: number, x: number) => data[(channel * FRAME + y) * FRAME + x];
  expect(pixel(still, 0, 9, 0)).toBe(-1);
  expect(pixel(still, 0, 9, 40)).toBeCloseTo(160 / 127.5 - 1, 6);
  expect(pixel(still, 1, 9, 40)).toBeCloseTo(36 / 127.5 - 1, 6);
  expect(pixel(still, 2, 0, 0)).toBe(1);
  const moves = new Set<string>();
  for (let seed = 0; seed < 60; seed++) {
    const moved = pixelBatch([picture], new Random(seed)).data;
    const step = pixel(moved, 0, 30, 31) - pixel(moved, 0, 30, 30);
    const down = (pixel(moved, 1, 30, 30) - pixel(still, 1, 30, 30)) * (127.5 / 4);
    expect(Math.abs(step)).toBeCloseTo(4 / 127.5, 5);
    expect(Math.abs(Math.round(down))).toBeLessThanOrEqual(4);
    moves.add(`${Math.sign(step)} ${Math.round(down)}`);
  }
  expect(moves.size).toBeGreaterThan(10);
});
