import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { writeSafetensors } from "../tensor/safetensors.ts";
import { zeros } from "../tensor/tensor.ts";
import { findLoraFile } from "./lora.ts";
import { describeModelFile } from "./model-file.ts";
import { pickledTensorsHint } from "./pickle.ts";

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "model-file-"))));
afterEach(() => rm(folder, { recursive: true }));

test.each(["model.ckpt", "model.sft", "model.safetensors.txt", "model"])(
  "safetensors as %s are known by their content, and are no pickle",
  async (name) => {
    const path = join(folder, name);
    await writeSafetensors(path, [{ name: "a", tensor: zeros([2]) }]);
    expect(await describeModelFile(path)).toBe(
      "a safetensors file under another name: give it one that ends in .safetensors",
    );
    expect(await findLoraFile(path)).toBe(path);
  },
);

test.each([
  ["model.ckpt", "\x80\x02}q", /^a pickled checkpoint in one file/],
  ["model.zip", "PK\x03\x04", /^a zip archive: unpack it/],
  ["model.gguf", "GGUF\x03\0\0\0", /^a GGUF file/],
  ["model.html", "<!DOCTYPE html>", /^a web page/],
  ["model.safetensors.part", "{", /^a download that is not finished/],
  ["model.txt", "", /^another file$/],
])("%s of %j is told", async (name, content, expected) => {
  await writeFile(join(folder, name), content, "latin1");
  expect(await describeModelFile(join(folder, name))).toMatch(expected);
});

test("a pickled VAE gets another command than a whole checkpoint", async () => {
  const path = join(folder, "vae.pt");
  await writeFile(path, "\x80\x02}q", "latin1");
  expect(await describeModelFile(path, pickledTensorsHint)).toContain(
    `d = torch.load(r'${path}', map_location='cpu', weights_only=True); save_file(`,
  );
});
