import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { loadAdapted } from "../../src/checkpoints/adapted-unet.ts";
import { openStableDiffusion } from "../../src/checkpoints/stable-diffusion.ts";
import { readEvents } from "../../src/runs/folder.ts";
import { openSafetensors, writeSafetensors } from "../../src/tensor/safetensors.ts";
import { makePhotos, MODEL, rpo, temporaryFolder } from "./cli.ts";
import { runHere, shortRequest } from "./in-process.ts";

/** A run of Custom Diffusion from end to end. */

const photos = await makePhotos(2);
let run: string;
let checkpoint: string;
beforeAll(async () => {
  const request = await shortRequest(photos, { method: "custom", classPictures: 2, learningRate: 0.01, lambda: 1 });
  run = request.output;
  checkpoint = join(run, "checkpoints", "000004");
  await runHere(request);
}, 120_000);

test("a checkpoint is diffusers' file of keys and values, and the word's", async () => {
  expect((await readdir(checkpoint)).sort()).toEqual([
    "SHA256SUMS",
    "learned_embeds.safetensors",
    "pytorch_custom_diffusion_weights.safetensors",
  ]);
  const file = await openSafetensors(join(checkpoint, "pytorch_custom_diffusion_weights.safetensors"));
  for (const key of file.tensors.keys()) expect(key).toMatch(/attn2\.processor\.to_[kv]_custom_diffusion\.weight$/);
});

test("of the U-Net it changes keys and values of the attention to texts, and nothing else", async () => {
  const model = await openStableDiffusion(MODEL);
  const base = await model.unet.load();
  const { weights } = await loadAdapted(model, checkpoint, (unet) => unet.load());
  expect([...weights.keys()].sort()).toEqual([...base.keys()].sort());
  for (const [name, { data }] of base) {
    const isTrained = /attn2\.to_[kv]\.weight$/.test(name);
    expect([name, data.every((x, i) => x === weights.get(name)?.data[i])]).toEqual([name, !isTrained]);
  }
});

test("its pictures are drawn again from the run, and from a pipeline that it is exported as", async () => {
  const last = (await readEvents(run)).filter((event) => event.type === "validation")[2];
  const { text = "", seed, image } = last.images[0];
  expect(text).toContain("[V] dog");
  const folder = await temporaryFolder();
  const draw = async (name: string, ...source: string[]) => {
    const output = join(folder, name);
    const how = [
      "--sampler",
      "dpm",
      "--steps",
      "2",
      "--guidance",
      "7.5",
      "--threads",
      "1",
      "-n",
      "1",
      "--no-parameters",
    ];
    const { code, stderr } = await rpo([
      "generate",
      ...source,
      ...how,
      "--prompt",
      text,
      "--seed",
      String(seed),
      "--output",
      output,
    ]);
    expect(code, stderr).toBe(0);
    return readFile(join(output, `${seed}.png`));
  };
  const pipeline = join(folder, "pipeline");
  const { code, stderr } = await rpo(["export", checkpoint, "--format", "diffusers", "--output", pipeline]);
  expect(code, stderr).toBe(0);
  const ofRun = await draw("run", "--adapter", checkpoint);
  expect(
    await draw("export", "--model", pipeline, "--embedding", join(pipeline, "learned_embeds.safetensors")),
  ).toEqual(ofRun);
  expect(await draw("start", "--model", MODEL)).not.toEqual(ofRun);
  expect(image).toContain("validation-000004");
});

test("the formats of a LoRA are refused", async () => {
  for (const format of ["peft", "kohya"]) {
    const { code, stderr } = await rpo(["export", checkpoint, "--format", format]);
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining("keys and values of the attention to texts and no LoRA"),
    ]);
  }
});

test("a file of another U-Net, and one that holds something else, are named", async () => {
  const model = await openStableDiffusion(MODEL);
  const wrong = async (name: string) => {
    const folder = await temporaryFolder();
    const tensor = { dtype: "float32", shape: [2, 3], data: new Float32Array(6) } as const;
    await writeSafetensors(join(folder, "pytorch_custom_diffusion_weights.safetensors"), [{ name, tensor }]);
    return loadAdapted(model, folder, (unet) => unet.load());
  };
  const key = "mid_block.attentions.0.transformer_blocks.0.attn2.processor.to_k_custom_diffusion.weight";
  await expect(wrong(key)).rejects.toThrow(/has shape \[2, 3\], the U-Net takes/);
  await expect(wrong("unet.x")).rejects.toThrow("unet.x is not supported");
});
