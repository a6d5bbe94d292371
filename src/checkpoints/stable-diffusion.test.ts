import { cp, mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ModelError } from "../system/errors.ts";
import { openSafetensors, writeSafetensors } from "../tensor/safetensors.ts";
import { zeros, type Tensor } from "../tensor/tensor.ts";
import { openStableDiffusion } from "./stable-diffusion.ts";
import type { Message } from "../system/named-setting.ts";

const golden = (path: string) => fileURLToPath(new URL(`../../tests/golden/${path}`, import.meta.url));
let root: string;
let folder: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "model-"));
  folder = join(root, "m");
});
afterEach(() => rm(root, { recursive: true }));

const copySd = () => cp(golden("tiny/checkpoints/sd15-tiny"), folder, { recursive: true });
const copyXl = () => cp(golden("parity/checkpoints/sdxl-tiny"), folder, { recursive: true });

async function edit(file: string, changes: Record<string, unknown>): Promise<void> {
  const path = join(folder, file);
  const json = JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
  await writeFile(path, JSON.stringify({ ...json, ...changes }));
}

async function rewrite(file: string, change: (tensors: Map<string, Tensor>) => void): Promise<void> {
  const path = join(folder, file);
  const source = await openSafetensors(path);
  const tensors = new Map<string, Tensor>();
  for (const name of source.tensors.keys()) tensors.set(name, await source.read(name));
  change(tensors);
  await writeSafetensors(
    path,
    [...tensors].map(([name, tensor]) => ({ name, tensor })),
  );
}

async function problem(): Promise<string> {
  const error: unknown = await openStableDiffusion(folder).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ModelError);
  return (error as ModelError).message.replaceAll(`${folder}/`, "").replaceAll(folder, "m");
}

test("a folder opens without warnings, and its parts' weights are all there", async () => {
  await copySd();
  const warnings: Message[] = [];
  const model = await openStableDiffusion(folder, { warn: (line) => warnings.push(line) });
  expect(warnings).toEqual([]);
  expect(model).toMatchObject({ family: "sd", zerosWithoutNegative: false, resolution: 16 });
  expect(model.scheduler.className).toBe("PNDMScheduler");
  const names = (await openSafetensors(join(folder, "unet/diffusion_pytorch_model.safetensors"))).tensors.keys();
  expect([...(await model.unet.load()).keys()].sort()).toEqual([...names].sort());
});

test("another pipeline, or a part of another class, is named", async () => {
  await copySd();
  await edit("model_index.json", { unet: ["diffusers", "UNet3DConditionModel"] });
  expect(await problem()).toBe("model_index.json: unet is UNet3DConditionModel, expected UNet2DConditionModel");
  await edit("model_index.json", { _class_name: "FluxPipeline" });
  expect(await problem()).toBe(
    "model_index.json: _class_name FluxPipeline is not supported, expected StableDiffusionPipeline or StableDiffusionXLPipeline",
  );
  await edit("model_index.json", { _class_name: "constructor" });
  expect(await problem()).toContain("_class_name constructor is not supported");
});

test("a safety checker is passed over", async () => {
  await copySd();
  await edit("model_index.json", { safety_checker: ["stable_diffusion", "StableDiffusionSafetyChecker"] });
  await expect(openStableDiffusion(folder)).resolves.toMatchObject({ family: "sd" });
});

test("parts that contradict each other are errors with both numbers", async () => {
  await copySd();
  const check = async (file: string, changes: Record<string, unknown>, message: string) => {
    const before = await readFile(join(folder, file));
    await edit(file, changes);
    expect(await problem()).toBe(message);
    await writeFile(join(folder, file), before);
  };
  await check(
    "unet/config.json",
    { cross_attention_dim: 40 },
    "m: unet cross_attention_dim is 40 but text_encoder hidden_size 32",
  );
  await check("unet/config.json", { in_channels: 9 }, "m: unet in_channels is 9 but vae latent_channels 4");
  await check(
    "text_encoder/config.json",
    { vocab_size: 800 },
    "m: text_encoder vocab_size is 800 but its tokenizer has 846 tokens",
  );
  await check(
    "text_encoder/config.json",
    { max_position_embeddings: 64 },
    "m: text_encoder max_position_embeddings is 64 but its tokenizer pads to 77",
  );
});

test("SDXL's added conditions must have the pooled text's size", async () => {
  await copyXl();
  await edit("unet/config.json", { projection_class_embeddings_input_dim: 96 });
  expect(await problem()).toBe(
    "m: unet projection_class_embeddings_input_dim is 96 but 6 times addition_time_embed_dim plus text_encoder_2 projection_dim 80",
  );
});

test("missing, misshapen and surplus tensors are found before any weights are read", async () => {
  await copySd();
  await rewrite("text_encoder/model.safetensors", (tensors) => {
    tensors.set("embeddings.position_ids", zeros([1, 77]));
  });
  const warnings: Message[] = [];
  await openStableDiffusion(folder, { warn: (line) => warnings.push(line) });
  expect(warnings).toEqual([]);
  await rewrite("unet/diffusion_pytorch_model.safetensors", (tensors) => {
    tensors.delete("conv_in.weight");
    tensors.set("conv_out.bias", zeros([5]));
  });
  expect(await problem()).toBe(
    "unet: 1 tensor missing: conv_in.weight; 1 tensor of a shape that config.json does not imply: conv_out.bias has shape [5], expected [4]",
  );
});

test("a file that was cut short is an error on opening", async () => {
  await copySd();
  await truncate(join(folder, "vae/diffusion_pytorch_model.safetensors"), 100_000);
  expect(await problem()).toMatch(/^vae\/diffusion_pytorch_model\.safetensors: /);
});

test("what old Stable Diffusion schedulers leave out is corrected, in SDXL not", async () => {
  await copySd();
  await edit("scheduler/scheduler_config.json", { steps_offset: 0, clip_sample: true });
  expect((await openStableDiffusion(folder)).scheduler.values).toMatchObject({ steps_offset: 1, clip_sample: false });
  await rm(folder, { recursive: true });
  await copyXl();
  await edit("scheduler/scheduler_config.json", { steps_offset: 0 });
  expect((await openStableDiffusion(folder)).scheduler.values).toMatchObject({ steps_offset: 0 });
});

test("weights in half precision load as float32", async () => {
  await copySd();
  const { vae } = await openStableDiffusion(folder);
  expect((await vae.load()).get("decoder.conv_in.bias")?.data).toBeInstanceOf(Float32Array);
});
