import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openStableDiffusion } from "../../src/checkpoints/stable-diffusion.ts";
import { loadTextModels } from "../../src/checkpoints/text-encoder.ts";
import { readCrossAttention, writeCrossAttention } from "../../src/checkpoints/cross-attention.ts";
import { readWordsOf } from "../../src/checkpoints/embeddings/read.ts";
import { writeWord } from "../../src/checkpoints/embeddings/word-files.ts";
import { defaultCaptions } from "../../src/commands/merge/captions.ts";
import { mergeConstrained, Unsolvable } from "../../src/commands/merge/constrained.ts";
import { tokenFeatures } from "../../src/commands/merge/features.ts";
import { createTextEncoder } from "../../src/diffusion/text-encoding.ts";
import { openSafetensors } from "../../src/tensor/safetensors.ts";
import { float32, type Float32Tensor } from "../../src/tensor/tensor.ts";
import { openGolden } from "../models/golden.ts";
import { MODEL, rpo, temporaryFolder } from "../run/cli.ts";

/** The merge of Custom Diffusion's trainings, against what its authors' code makes of the same: tests/golden/merge/make.py. */

const LAYERS = [
  "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight",
  "mid_block.attentions.0.transformer_blocks.0.attn2.to_v.weight",
];

const furthest = (actual: Float32Array, expected: Float32Array): number =>
  Math.max(...expected.map((x, i) => Math.abs(x - actual[i]))) / Math.max(...expected.map(Math.abs));

describe("of any features and matrices", async () => {
  const { read } = await openGolden("merge/numbers.safetensors");
  const layers = async (from: string): Promise<Map<string, Float32Tensor>> =>
    new Map(await Promise.all(LAYERS.map(async (name) => [name, await read(`${from}.${name}`)] as const)));
  const concepts = await Promise.all(
    [0, 1].map(async (i) => ({ features: await read(`features.${i}`), weights: await layers(`own.${i}`) })),
  );
  const [base, expected, regularizer] = [await layers("base"), await layers("expected"), await read("regularizer")];

  test("the merged matrices are the authors'", () => {
    const merged = mergeConstrained(base, concepts, regularizer);
    for (const [name, { data }] of expected)
      expect(furthest(merged.get(name)?.data ?? new Float32Array(), data)).toBeLessThan(1e-6);
  });

  test("texts that span less than the features are refused, and so are subjects' that say the same by other numbers", () => {
    const [, width] = regularizer.shape;
    const few = float32(regularizer.data.slice(0, 5 * width), [5, width]);
    expect(() => mergeConstrained(base, concepts, few)).toThrow(Unsolvable);
    const [{ features, weights }] = concepts;
    const twice = { weights, features: { ...features, data: features.data.map((x) => 2 * x) } };
    expect(() => mergeConstrained(base, [concepts[0], twice], regularizer)).toThrow(/not independent/);
  });
});

test("of texts it takes the tokens that the authors take, in the vectors of words that were trained", async () => {
  const { read } = await openGolden("merge/texts.safetensors");
  const model = await openStableDiffusion(MODEL);
  const vectors = await read("vectors");
  const [, width] = vectors.shape;
  const embeddings = ["<new1>", "<new2>"].map((word, i) => ({
    ...{ path: "", word },
    vectors: [float32(vectors.data.slice(i * width, (i + 1) * width), [1, width])],
  }));
  const models = await loadTextModels(model, { embeddings });
  const encoder = await createTextEncoder({ models, zerosWithoutNegative: false, session: { threads: 1 } });
  const captions = ["a small", "a photo of a red", "an old"].flatMap((kind) =>
    ["dog", "house", "tree", "bicycle", "lamp"].flatMap((thing) =>
      ["on the beach", "in the snow at night", "beside a wall"].map((place) => `${kind} ${thing} ${place}`),
    ),
  );
  const texts = {
    regularizer: captions,
    "features.0": ["<new1> dog", "a photo of <new1> dog"],
    "features.1": ["<new2> teapot", "a photo of <new2> teapot"],
  };
  for (const [name, of] of Object.entries(texts)) {
    const [ours, theirs] = [await tokenFeatures(of, encoder, models[0]), await read(name)];
    expect(ours.shape).toEqual(theirs.shape);
    expect(furthest(ours.data, theirs.data)).toBeLessThan(1e-5);
  }
  await encoder.release();
});

/** A checkpoint as `rpo train --method custom` writes it, keys and values moved by a little, the word [V]. */
async function checkpoint(folder: string, seed: number): Promise<string> {
  const model = await openStableDiffusion(MODEL);
  await mkdir(folder);
  const moved = [...(await model.unet.load())].filter(([name]) => /attn2\.to_[kv]\.weight$/.test(name));
  const noise = (i: number) => 0.05 * Math.sin(seed * 1000 + i);
  await writeCrossAttention(
    folder,
    new Map(moved.map(([name, { data, ...rest }]) => [name, { ...rest, data: data.map((x, i) => x + noise(i)) }])),
  );
  const width = model.textEncoders[0].config.hiddenSize;
  await writeWord(folder, "[V]", [
    float32(
      Float32Array.from({ length: width }, (_, i) => noise(i)),
      [1, width],
    ),
  ]);
  return folder;
}

test("a merge of two checkpoints is written whole, gives each subject's texts its own keys and values, and is drawn with by its words", async () => {
  const folder = await temporaryFolder();
  const [dog, teapot] = [await checkpoint(join(folder, "dog"), 1), await checkpoint(join(folder, "teapot"), 2)];
  const output = join(folder, "merged");
  const merge = await rpo(["merge", dog, teapot, "--classes", "dog,teapot", "--model", MODEL, "--output", output]);
  expect(merge).toMatchObject({ code: 0 });
  expect((await readdir(output)).sort()).toEqual([
    "pytorch_custom_diffusion_weights.safetensors",
    "word-1.safetensors",
    "word-2.safetensors",
  ]);
  const word = await openSafetensors(join(output, "word-2.safetensors"));
  expect([...word.tensors.keys()]).toEqual(["<new2>"]);
  expect(await word.read("<new2>")).toEqual(
    await (await openSafetensors(join(teapot, "learned_embeds.safetensors"))).read("[V]"),
  );
  const model = await openStableDiffusion(MODEL);
  const models = await loadTextModels(model, { embeddings: await readWordsOf(output, model) });
  const encoder = await createTextEncoder({ models, zerosWithoutNegative: false, session: { threads: 1 } });
  const unet = await model.unet.load();
  const [merged, own] = [await readCrossAttention(output, unet), await readCrossAttention(teapot, unet)];
  const { data, shape } = await tokenFeatures(["a photo of <new2> teapot"], encoder, models[0]);
  await encoder.release();
  const product = ({ data: rows }: Float32Tensor, token: number) =>
    Float32Array.from({ length: rows.length / shape[1] }, (_, i) =>
      rows.subarray(i * shape[1], (i + 1) * shape[1]).reduce((sum, x, j) => sum + x * data[token * shape[1] + j], 0),
    );
  for (const [name, weight] of own)
    for (let token = 0; token < shape[0]; token++)
      expect(furthest(product(merged.get(name) ?? weight, token), product(weight, token))).toBeLessThan(1e-4);
  expect(merged).not.toEqual(own);
  expect(merge.stderr).toContain('prompts say "<new1> dog" and "<new2> teapot"');
  const drawn = await rpo([
    ...["generate", "--adapter", output, "--model", MODEL, "--prompt", "a <new1> dog beside a <new2> teapot"],
    ...["--steps", "2", "-n", "1", "--output", join(folder, "pictures")],
  ]);
  expect(drawn).toMatchObject({ code: 0 });
  expect(drawn.stderr).not.toMatch(/not in (the|any) prompt/);
});

test("400 captions of its own are all different", () => {
  expect(new Set(defaultCaptions()).size).toBe(400);
});
