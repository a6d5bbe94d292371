import { readFile } from "node:fs/promises";
import { afterAll, expect, test } from "vitest";
import { openStableDiffusion } from "../../src/checkpoints/stable-diffusion.ts";
import { openTextEncoder } from "../../src/checkpoints/text-encoder.ts";
import { embedPrompts } from "../../src/diffusion/prompt-embeddings.ts";
import type { TextEncoder } from "../../src/diffusion/text-encoding.ts";
import { readPlain, readWeights } from "../../src/text/prompt-weights.ts";

interface Golden {
  readonly model: string;
  readonly prompt: string;
  readonly weighted: boolean;
  readonly length: number;
  readonly rows: readonly number[];
  readonly states: readonly (readonly number[])[];
  readonly pooled: readonly number[] | null;
}
const golden = JSON.parse(await readFile("tests/golden/prompts/embeddings.json", "utf8")) as Golden[];

const FOLDERS: Readonly<Record<string, string>> = {
  "sd15-tiny": "tests/golden/tiny/checkpoints/sd15-tiny",
  "sdxl-tiny": "tests/golden/parity/checkpoints/sdxl-tiny",
};
const encoders = new Map<string, TextEncoder>();
async function encoderOf(model: string): Promise<TextEncoder> {
  const known =
    encoders.get(model) ?? (await openTextEncoder(await openStableDiffusion(FOLDERS[model]), { threads: 1 }));
  encoders.set(model, known);
  return known;
}
afterAll(async () => {
  for (const encoder of encoders.values()) await encoder.release();
});

test.each(golden)("$model reads $prompt as PyTorch does (weights: $weighted)", async (expected) => {
  const { prompt, weighted, length, rows, pooled } = expected;
  const encoder = await encoderOf(expected.model);
  const [embedding] = await encoder.encode([prompt], { read: weighted ? readWeights : readPlain });
  const { data, shape } = embedding.states;
  expect(shape[0]).toBe(length);
  for (const [i, row] of rows.entries())
    for (const [k, value] of expected.states[i].entries()) expect(data[row * shape[1] + k]).toBeCloseTo(value, 4);
  for (const [k, value] of (pooled ?? []).entries()) expect(embedding.pooled?.data[k]).toBeCloseTo(value, 4);
});

test("a prompt of 75 tokens or fewer, and what is beside it, changes nothing of its embedding", async () => {
  const encoder = await encoderOf("sd15-tiny");
  const long = "dog ".repeat(90);
  const [alone] = await encoder.encode(["a dog"]);
  const { prompts, negatives } = await embedPrompts(encoder, { prompts: ["a dog", long], negative: undefined });
  expect(prompts.map(({ states }) => states.shape[0])).toEqual([77, 154]);
  expect(prompts[0].states.data).toEqual(alone.states.data);
  expect(negatives.map(({ states }) => states.shape[0])).toEqual([77, 154]);
  // the empty text again, behind itself
  expect(negatives[1].states.data.slice(0, alone.states.data.length)).toEqual(negatives[0].states.data);
  expect(negatives[1].states.data.slice(alone.states.data.length)).toEqual(negatives[0].states.data);
  const against = await embedPrompts(encoder, { prompts: ["a dog"], negative: long });
  expect(against.prompts[0].states.shape[0]).toBe(154);
  expect(against.negatives[0].states.shape[0]).toBe(154);
});

test("76 tokens are two parts, 75 are one, and nothing is one", async () => {
  const encoder = await encoderOf("sd15-tiny");
  const ofTokens = (count: number) => "! ".repeat(count);
  expect([0, 75, 76, 150, 151].map((count) => encoder.partsOf(ofTokens(count)))).toEqual([1, 1, 2, 2, 3]);
  expect(encoder.partsOf("a BREAK b", readWeights)).toBe(2);
});
