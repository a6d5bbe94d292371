import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ModelError } from "../system/errors.ts";
import { writeJson } from "../system/files.ts";
import { writeSafetensors } from "../tensor/safetensors.ts";
import { float32 } from "../tensor/tensor.ts";
import { openWeights, readConfig } from "./weights.ts";

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "weights-"))));
afterEach(() => rm(folder, { recursive: true }));

const stem = "diffusion_pytorch_model";
/** A file whose tensors each hold `value`. */
const save = (file: string, value: number, names = ["w"]) =>
  writeSafetensors(
    join(folder, file),
    names.map((name) => ({ name, tensor: float32([value]) })),
  );
/** The value of the tensor w that is chosen. */
const chosen = async (variant?: string) => (await (await openWeights(folder, { stem, variant })).read("w")).data[0];

test("the plain file goes before variants, fp16 before others, and a wanted variant before all", async () => {
  await save(`${stem}.non_ema.safetensors`, 5);
  expect(await chosen()).toBe(5);
  await save(`${stem}.fp16.safetensors`, 4);
  expect(await chosen()).toBe(4);
  await save("shard.safetensors", 2);
  await writeJson(join(folder, `${stem}.safetensors.index.json`), { weight_map: { w: "shard.safetensors" } });
  expect(await chosen()).toBe(2);
  await save(`${stem}.safetensors`, 1);
  expect(await chosen()).toBe(1);
  expect(await chosen("fp16")).toBe(4);
  await expect(chosen("bf16")).rejects.toThrow(`expected ${stem}.bf16.safetensors, found only`);
});

test("sharded weights are read from the files that the index names, variants too", async () => {
  const shards = [`${stem}.fp16-00001-of-00002.safetensors`, `${stem}.fp16-00002-of-00002.safetensors`];
  await save(shards[0], 1, ["a", "b"]);
  await save(shards[1], 2, ["c"]);
  const index = { metadata: {}, weight_map: { a: shards[0], c: shards[1], b: shards[0] } };
  await writeJson(join(folder, `${stem}.safetensors.index.fp16.json`), index);
  const weights = await openWeights(folder, { stem });
  expect(weights.names).toEqual(["a", "c", "b"]);
  expect(weights.files.map(({ path }) => path)).toEqual(shards.map((shard) => join(folder, shard)));
  expect((await weights.read("c")).data).toEqual(Float32Array.of(2));
  expect(weights.shapeOf("b")).toEqual([1]);
  expect(weights.shapeOf("d")).toBeUndefined();
  await expect(weights.read("d")).rejects.toThrow("there is no tensor d");
  await rm(join(folder, shards[1]));
  await expect(openWeights(folder, { stem })).rejects.toThrow(`the shard ${shards[1]} is missing`);
});

test.each([
  [{ weight_map: { w: "../secret.safetensors" } }, 'puts w into "../secret.safetensors"'],
  [{ weight_map: { w: "/etc/x.safetensors" } }, 'puts w into "/etc/x.safetensors"'],
  [{ weight_map: { w: "a\\b.safetensors" } }, "puts w into"],
  [{ weight_map: { w: "shard.bin" } }, 'puts w into "shard.bin"'],
  [{ weight_map: { w: 3 } }, "puts w into 3"],
  [{ weight_map: { v: "shard.safetensors" } }, "shard.safetensors does not hold the tensor v"],
  [{ weight_map: ["w"] }, "expected an object with a weight_map"],
  [[], "expected an object with a weight_map"],
])("the index %j is refused", async (index, message) => {
  await save("shard.safetensors", 1);
  await writeJson(join(folder, `${stem}.safetensors.index.json`), index);
  const opening = openWeights(folder, { stem });
  await expect(opening).rejects.toThrow(ModelError);
  await expect(opening).rejects.toThrow(message);
});

test("pickle files are refused with the command that converts them", async () => {
  await writeFile(join(folder, `${stem}.bin`), "");
  await expect(openWeights(folder, { stem })).rejects.toThrow(/found only diffusion_pytorch_model.bin, a pickle file/);
  await writeJson(join(folder, "config.json"), { _class_name: "AutoencoderKL" });
  await expect(openWeights(folder, { stem })).rejects.toThrow(
    `python -c "from diffusers import AutoencoderKL as M; M.from_pretrained(r'${folder}')`,
  );
  await writeJson(join(folder, "config.json"), { architectures: ["CLIPTextModel"] });
  await expect(openWeights(folder, { stem })).rejects.toThrow('python -c "from transformers import CLIPTextModel as M');
  await writeJson(join(folder, "config.json"), { architectures: ["os; evil()"] });
  await expect(openWeights(folder, { stem })).rejects.toThrow('python -c "from transformers import AutoModel as M');
});

test("a folder without weights says what was expected", async () => {
  await expect(openWeights(join(folder, "none"), { stem })).rejects.toThrow("none: no such folder");
  await expect(openWeights(folder, { stem })).rejects.toThrow(`${folder}: expected ${stem}.safetensors`);
  await save("model-00001-of-00002.safetensors", 1);
  await expect(openWeights(folder, { stem: "model" })).rejects.toThrow("needs the index model.safetensors.index.json");
  await mkdir(join(folder, `${stem}.safetensors`));
  await expect(openWeights(folder, { stem })).rejects.toThrow("it is a folder");
});

test("a config that is missing, broken or no object is a ModelError", async () => {
  await expect(readConfig(folder)).rejects.toThrow(new ModelError(`${join(folder, "config.json")}: no such file`));
  await writeFile(join(folder, "config.json"), "{");
  await expect(readConfig(folder)).rejects.toThrow("expected JSON, but");
  await writeFile(join(folder, "config.json"), "[]");
  await expect(readConfig(folder)).rejects.toThrow("expected an object of settings, not a list");
  await writeFile(join(folder, "config.json"), '{"a": 1}');
  expect(await readConfig(folder)).toEqual({ a: 1 });
});
