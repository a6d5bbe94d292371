import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { joinEmbeddings } from "../../src/checkpoints/embeddings/fit.ts";
import { readEmbedding } from "../../src/checkpoints/embeddings/read.ts";
import { openStableDiffusion } from "../../src/checkpoints/stable-diffusion.ts";
import { openTextEncoder } from "../../src/checkpoints/text-encoder.ts";
import { withResources } from "../../src/runtime/resources.ts";
import { openSafetensors } from "../../src/tensor/safetensors.ts";
import { float32, type Float32Tensor } from "../../src/tensor/tensor.ts";
import { difference, golden, numbers, type Family } from "./golden.ts";

/** What is seen is 2e-6. */
const TOLERANCE = 2e-5;

/** The files that tests/golden/embeddings/make.py wrote with PyTorch, and what diffusers makes of them. */
const file = (name: string) => fileURLToPath(new URL(`../golden/embeddings/${name}`, import.meta.url));
const prompts = JSON.parse(await readFile(file("prompts.json"), "utf8")) as string[];

/** Columns from `begin` on of [rows, width]. */
function columns({ data, shape: [rows, width] }: Float32Tensor, begin: number, count: number): Float32Tensor {
  const cut = Array.from({ length: rows }, (_, row) => [
    ...data.subarray(row * width + begin, row * width + begin + count),
  ]);
  return float32(cut.flat(), [rows, count]);
}

test.each<[Family, string, [file: string, word?: string][]]>([
  ["sd1", "sd1-one", [["learned_embeds.safetensors"]]],
  ["sd1", "sd1-one", [["learned_embeds.bin"]]],
  ["sd1", "sd1-both", [["three.safetensors"], ["a1111.pt"]]],
  ["sd1", "sd1-both", [["three.safetensors"], ["mystyle.pt"]]],
  ["sd1", "sd1-both", [["three.safetensors"], ["MyStyle.safetensors"]]],
  ["sdxl", "sdxl-both", [["mystyle-xl.safetensors", "mystyle"]]],
])("%s reads prompts as diffusers does: %s of %o", async (family, name, files) => {
  const model = await openStableDiffusion(golden(`${family}.safetensors`));
  const embeddings = joinEmbeddings(
    await Promise.all(files.map(([path, word]) => readEmbedding(file(path), model, word))),
  );
  const encoded = await withResources(async (own) =>
    own(await openTextEncoder(model, { threads: 1 }, { embeddings })).encode(prompts),
  );
  const expected = await openSafetensors(file(`${name}.safetensors`));
  for (const key of expected.tensors.keys()) {
    const all = numbers(new Map([[key, await expected.read(key)]]), key);
    const size = all.data.length / prompts.length;
    prompts.forEach((prompt, i) => {
      const values = float32(all.data.slice(i * size, (i + 1) * size), all.shape.slice(1));
      const { states, pooled } = encoded[i];
      const own = key === "pooled" ? pooled : columns(states, 16 * Number(key.at(-1)), 16);
      expect(own === undefined ? Infinity : difference(own, values), `${key} of ${prompt}`).toBeLessThan(TOLERANCE);
    });
  }
});

test("numbers of 16 bits are read from a pickle", async () => {
  const model = await openStableDiffusion(golden("sd1.safetensors"));
  const [full] = (await readEmbedding(file("mystyle.pt"), model)).vectors;
  const { word, vectors } = await readEmbedding(file("mystyle-bf16.pt"), model);
  expect(word).toBe("mystyle-bf16");
  expect(vectors[0]?.shape).toEqual([2, 16]);
  full?.data.forEach((x, i) => expect(vectors[0]?.data[i]).toBeCloseTo(x, 1));
});
