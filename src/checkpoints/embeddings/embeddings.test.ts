import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { golden } from "../../../tests/formats/golden.ts";
import { ModelError } from "../../system/errors.ts";
import { writeSafetensors } from "../../tensor/safetensors.ts";
import { float32, zeros, type Float32Tensor } from "../../tensor/tensor.ts";
import { openStableDiffusion } from "../stable-diffusion.ts";
import { unusedWords, withEmbeddings } from "./embed.ts";
import { joinEmbeddings, type Embedding } from "./fit.ts";
import { readBundled, readEmbedding } from "./read.ts";

const model = await openStableDiffusion(golden("sd1.safetensors"));
const xl = await openStableDiffusion(golden("sdxl.safetensors"));

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "embedding-"))));
afterEach(() => rm(folder, { recursive: true }));

async function fileOf(tensors: Record<string, Float32Tensor>, name = "style.safetensors"): Promise<string> {
  const path = join(folder, name);
  await writeSafetensors(
    path,
    Object.entries(tensors).map(([key, tensor]) => ({ name: key, tensor })),
  );
  return path;
}

test("the word is what is asked for, else what the file says, else its name", async () => {
  const path = await fileOf({ "<cat-toy>": zeros([16]) });
  expect((await readEmbedding(path, model)).word).toBe("<cat-toy>");
  expect((await readEmbedding(path, model, "toy")).word).toBe("toy");
  expect((await readEmbedding(await fileOf({ emb_params: zeros([2, 16]) }), model)).word).toBe("style");
  expect((await readEmbedding(await fileOf({ emp_params: zeros([2, 16]) }), model)).word).toBe("style");
  expect(await readEmbedding(await fileOf({ clip_g: zeros([2, 16]) }), xl)).toMatchObject({
    word: "style",
    vectors: [undefined, { shape: [2, 16] }],
  });
});

test("those beside a LoRA are read by their words", async () => {
  const path = await fileOf({
    "bundle_emb.a.b.clip_l": zeros([2, 16]),
    "bundle_emb.a.b.clip_g": zeros([1, 16]),
    "bundle_emb.sks.string_to_param.*": zeros([3, 16]),
    "lora_unet_x.alpha": zeros([]),
  });
  // it does not say whose it is, where an XL's encoders are as wide as each other
  await expect(readBundled(path, xl)).rejects.toThrow(ModelError);
  const [first] = await readBundled(await fileOf({ "bundle_emb.a.b.clip_l": zeros([2, 16]) }), xl);
  expect(first).toMatchObject({ word: "a.b", vectors: [{ shape: [2, 16] }, undefined] });
});

describe("refused with the reason:", () => {
  test.each<[string, Record<string, Float32Tensor>, RegExp]>([
    [
      "another model's",
      { emb_params: zeros([2, 768]) },
      /vectors of 768 numbers, but .* takes 16; is it of another model/,
    ],
    ["an output embedding", { clip_l: zeros([1, 16]), clip_l_out: zeros([1, 16]) }, /clip_l_out is added to what/],
    ["a matrix of matrices", { a: zeros([1, 2, 16]) }, /has shape \[1, 2, 16\]/],
    ["no vectors", { a: zeros([0, 16]) }, /has shape \[0, 16\]/],
    ["more than a prompt holds", { a: zeros([76, 16]) }, /76 vectors, but the text encoder reads 75/],
    ["no numbers", { a: float32([NaN, ...new Array<number>(15).fill(0)], [16]) }, /holds NaN/],
    [
      "a LoRA",
      Object.fromEntries(["a", "b", "c", "d", "e"].map((name) => [name, zeros([1])])),
      /expected a textual inversion/,
    ],
    ["an XL's", { clip_l: zeros([1, 16]), clip_g: zeros([1, 20]) }, /clip_g has vectors of 20 numbers/],
    ["twice the same", { clip_l: zeros([1, 16]), clip_h: zeros([1, 16]) }, /two tensors are of the same text encoder/],
    ["nothing", {}, /expected a textual inversion/],
    ["something huge", { a: zeros([1001, 1000]) }, /more than any textual inversion/],
  ])("%s", async (_, tensors, message) => {
    const reading = readEmbedding(await fileOf(tensors), model);
    await expect(reading).rejects.toThrow(ModelError);
    await expect(reading).rejects.toThrow(message);
  });

  test("an unnamed tensor where both encoders are as wide, a word that is none, a pickle that is none", async () => {
    await expect(readEmbedding(await fileOf({ a: zeros([1, 16]) }), xl)).rejects.toThrow("does not say of which");
    await expect(readEmbedding(await fileOf({ a: zeros([1, 16]) }), model, " ")).rejects.toThrow("is no word");
    await expect(readEmbedding(await fileOf({ "a\nb": zeros([1, 16]) }), model)).rejects.toThrow("is no word");
    const path = join(folder, "x.pt");
    await writeFile(path, "PK nothing");
    await expect(readEmbedding(path, model)).rejects.toThrow(`${path}: expected a file that torch.save wrote, but`);
  });
});

const embedding = (word: string, ...vectors: (Float32Tensor | undefined)[]): Embedding => ({
  path: word,
  word,
  vectors,
});

test("two files of one word, each of an encoder, are one; of the same encoder they are refused", () => {
  const [l, g] = [zeros([1, 16]), zeros([2, 16])];
  expect(joinEmbeddings([embedding("sks", l, undefined), embedding("SKS", undefined, g)])).toEqual([
    embedding("sks", l, g),
  ]);
  expect(() => joinEmbeddings([embedding("sks", l), embedding("sks", l)])).toThrow("both for the word");
});

test("a table of tokens goes on with the vectors, and the end of texts is found where a config has it wrong", async () => {
  const [part] = model.textEncoders;
  const weights = await part.load();
  const config = { ...part.config, eosTokenId: 2 };
  const vectors = float32(
    Array.from({ length: 32 }, (_, i) => i),
    [2, 16],
  );
  const changed = withEmbeddings({ ...part, config, weights }, [embedding("sks", vectors)], 0);
  const rows = part.config.vocabularySize;
  expect(changed.config.vocabularySize).toBe(rows + 2);
  const { ids } = changed.tokenizer.encode("sks");
  expect([...ids.subarray(1, 4)]).toEqual([rows, rows + 1, part.config.eosTokenId]);
  expect(changed.config.eosTokenId).toBe(part.config.eosTokenId);
  const name = [...weights.keys()].find((key) => key.endsWith("token_embedding.weight")) ?? "";
  const table = changed.weights.get(name);
  expect(table?.shape).toEqual([rows + 2, 16]);
  expect(Array.from(table?.data.slice(-32) ?? [])).toEqual(Array.from(vectors.data));
  expect(withEmbeddings({ ...part, config, weights }, [], 0).weights).toBe(weights);
});

test("a word that is in no prompt is told", () => {
  const words = [embedding("sks"), embedding("<Cat>")];
  expect(unusedWords(words, ["a <cat>", "asks"]).map(({ word }) => word)).toEqual(["sks"]);
  expect(unusedWords(words, ["a <CAT>", "SKS"])).toEqual([]);
});
