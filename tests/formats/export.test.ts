import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { loadAdapted } from "../../src/checkpoints/adapted-unet.ts";
import { readLoraFile } from "../../src/checkpoints/lora-files/read.ts";
import { readLora, writeLora } from "../../src/checkpoints/lora.ts";
import { openStableDiffusion, unetGraph, type StableDiffusion } from "../../src/checkpoints/stable-diffusion.ts";
import { createUnetRunner, type UnetRunnerOptions } from "../../src/diffusion/unet-runner.ts";
import type { Interaction } from "../../src/commands/interaction.ts";
import { exportCheckpoint, type ExportResult } from "../../src/commands/export/run.ts";
import { findSource } from "../../src/commands/source.ts";
import type { ExportSettings } from "../../src/commands/export/settings.ts";
import { ATTENTION_TARGETS } from "../../src/nn/lora.ts";
import { readModelDefaults } from "../../src/commands/models/defaults.ts";
import { TRAIN_DEFAULTS } from "../../src/settings/train-settings.ts";
import { ModelError, UsageError } from "../../src/system/errors.ts";
import { writeJson } from "../../src/system/files.ts";
import { temporaryPath } from "../../src/system/leftovers.ts";
import { Random } from "../../src/tensor/random.ts";
import { openSafetensors, writeSafetensors } from "../../src/tensor/safetensors.ts";
import { float32, type Float32Tensor } from "../../src/tensor/tensor.ts";
import { difference, golden, numbers, readCase } from "./golden.ts";
import type { Message } from "../../src/system/named-setting.ts";

const MODEL = golden("sd1.safetensors");
const lora = { rank: 2, alpha: 6, targets: ATTENTION_TARGETS };

let root: string;
let run: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "export-"));
  run = join(root, "dog");
  await mkdir(run);
  const settings = { ...TRAIN_DEFAULTS, model: MODEL, reward: "r", images: "i", class: "dog", output: run, threads: 1 };
  const versions = { rpo: "0", node: "0", onnxruntime: "0", platform: "p" };
  await writeJson(join(run, "config.json"), { ...settings, learningRate: 1, resolution: 16, versions, hashes: {} });
  await writeFile(join(run, "events.jsonl"), "");
});
afterEach(() => rm(root, { recursive: true }));

/** A run's checkpoint with random matrices, which best.json names. */
async function trainedLora(model: StableDiffusion, scale = 0.3): Promise<string> {
  const rng = new Random(1);
  const parameters = new Map<string, Float32Tensor>();
  for (const [name, { shape }] of unetGraph(model.unet.config, lora).parameters)
    if (name.includes(".lora_"))
      parameters.set(
        name,
        float32(
          rng
            .split(name)
            .normal(shape)
            .data.map((x) => x * scale),
          shape,
        ),
      );
  await writeLora(join(run, "checkpoints/000040"), { ...lora, parameters });
  await best("checkpoints/000040");
  return join(run, "checkpoints/000040");
}

const best = (checkpoint: string | null) =>
  writeJson(join(run, "best.json"), { lambda: 0.5, step: Number(checkpoint?.slice(-6) ?? 0), reward: 0.5, checkpoint });

/** Its models are on disk. */
const nobody: Interaction = {
  fetch: () => Promise.reject(new Error("nothing here is on the hub")),
  warn: () => undefined,
};

async function exported({
  source = run,
  model,
  ...settings
}: Partial<ExportSettings> & Pick<ExportSettings, "format">): Promise<ExportResult> {
  const found = await findSource({ model, adapter: source }, nobody);
  const common = { source, output: undefined, dtype: "F32", threads: 1 } as const;
  return exportCheckpoint({ ...common, ...found, ...settings }, { emit: () => undefined });
}

async function predict(unet: Omit<UnetRunnerOptions, "session">): Promise<Float32Tensor> {
  const inputs = await readCase("sd1");
  const [sample, timestep, text] = ["sample", "timestep", "text"].map((name) => numbers(inputs, `in.${name}`));
  const runner = createUnetRunner({ ...unet, session: { threads: 1 } });
  const out = await runner.predict({ sample, timestep, text });
  await runner.release();
  return out;
}

test("a LoRA for kohya's readers: three tensors a layer, named as sd-scripts names them, read back as they were", async () => {
  const model = await openStableDiffusion(MODEL);
  const trained = await readLora(await trainedLora(model));
  const { output } = await exported({ format: "kohya" });
  expect(output).toBe(join(run, "exports/dog-000040.safetensors"));
  const file = await openSafetensors(output);
  const layer = "lora_unet_down_blocks_0_attentions_1_transformer_blocks_0_attn1_to_out_0";
  expect([...file.tensors.keys()].filter((key) => key.startsWith(`${layer}.`)).sort()).toEqual(
    ["alpha", "lora_down.weight", "lora_up.weight"].map((piece) => `${layer}.${piece}`),
  );
  expect(await file.read(`${layer}.alpha`)).toEqual(float32([6], []));
  expect(file.tensors.size).toBe((trained.parameters.size / 2) * 3);
  expect(Object.fromEntries(file.metadata)).toMatchObject({
    ss_network_module: "networks.lora",
    ss_network_dim: "2",
    ss_network_alpha: "6",
    ss_base_model_version: "sd_v1",
    ss_v2: "False",
    ss_training_comment: "rpo; prompts say: [V] dog",
    ss_output_name: "dog-000040",
    "modelspec.sai_model_spec": "1.0.1",
    "modelspec.architecture": "stable-diffusion-v1/lora",
    "modelspec.implementation": "diffusers",
    "modelspec.title": "dog-000040",
    "modelspec.resolution": `${model.resolution}x${model.resolution}`,
    "modelspec.prediction_type": "epsilon",
    "modelspec.trigger_phrase": "[V] dog",
    "modelspec.hash_sha256": `0x${createHash("sha256")
      .update((await readFile(output)).subarray(file.dataStart))
      .digest("hex")}`,
  });
  const updates = (await readLoraFile(output, model)).get("unet") ?? [];
  expect(updates.length).toBe(trained.parameters.size / 2);
  for (const {
    layer: { name },
    delta,
    scale,
  } of updates) {
    expect(scale).toBe(3);
    expect(delta).toEqual({
      kind: "product",
      down: trained.parameters.get(`${name}.lora_A.weight`),
      up: trained.parameters.get(`${name}.lora_B.weight`),
    });
  }
});

test("a LoRA for PEFT is the checkpoint's own file, or one of halves", async () => {
  const checkpoint = await trainedLora(await openStableDiffusion(MODEL));
  const { output } = await exported({ format: "peft" });
  const card = await readFile(join(output, "README.md"), "utf8");
  expect(card).toContain("rpo export RUN --format kohya");
  expect(card).toContain("Prompts say `[V] dog`");
  expect(card).not.toContain(root);
  const bytes = (folder: string) => readFile(join(folder, "adapter_model.safetensors"));
  expect(await bytes(output)).toEqual(await bytes(checkpoint));
  const halves = await exported({ format: "peft", dtype: "F16", output: join(root, "halves") });
  const file = await openSafetensors(join(halves.output, "adapter_model.safetensors"));
  expect(new Set([...file.tensors.values()].map(({ dtype }) => dtype))).toEqual(new Set(["F16"]));
  expect(await readLora(halves.output)).toMatchObject({ rank: 2, alpha: 6 });
});

describe("a pipeline's folder", () => {
  test("of a model in one file opens without warnings and predicts as model and LoRA do", async () => {
    const model = await openStableDiffusion(MODEL);
    const checkpoint = await trainedLora(model);
    const { output } = await exported({ format: "diffusers" });
    expect(output).toBe(join(run, "exports/diffusers-000040"));
    const warnings: Message[] = [];
    const copy = await openStableDiffusion(output, { warn: (line) => warnings.push(line) });
    expect(warnings).toEqual([]);
    const { config } = model.unet;
    const expected = await predict({ config, ...(await loadAdapted(model, checkpoint, (unet) => unet.load())) });
    const merged = await predict({ config, weights: await copy.unet.load() });
    expect(difference(merged, expected)).toBeLessThan(1e-5);
    expect(difference(await predict({ config, weights: await model.unet.load() }), expected)).toBeGreaterThan(0.1);
    expect(await copy.vae.load()).toEqual(await model.vae.load());
    expect(await copy.textEncoders[0].load()).toEqual(await model.textEncoders[0].load());
    expect(copy.textEncoders[0].tokenizer.encode("a dog")).toEqual(model.textEncoders[0].tokenizer.encode("a dog"));
    expect(copy.scheduler.values).toEqual(model.scheduler.values);
  });

  test("is drawn with the run's guidance, where that is not the usual one", async () => {
    await trainedLora(await openStableDiffusion(MODEL));
    const { output: usual } = await exported({ format: "diffusers", output: join(root, "usual") });
    await expect(stat(join(usual, "rpo.json"))).rejects.toThrow("ENOENT");
    const path = join(run, "config.json");
    await writeJson(path, { ...(JSON.parse(await readFile(path, "utf8")) as object), guidance: 4 });
    const { output } = await exported({ format: "diffusers", output: join(root, "own") });
    expect(await readModelDefaults(output, {})).toEqual({ guidance: 4 });
  });

  test("of halves has half the size, and says so to transformers", async () => {
    await trainedLora(await openStableDiffusion(MODEL));
    const { output: whole } = await exported({ format: "diffusers" });
    const { output: half } = await exported({ format: "diffusers", dtype: "F16", output: join(root, "half") });
    for (const part of ["unet/diffusion_pytorch_model", "vae/diffusion_pytorch_model", "text_encoder/model"]) {
      const sizes = [];
      for (const folder of [whole, half]) sizes.push((await stat(join(folder, `${part}.safetensors`))).size);
      expect(sizes[1] / sizes[0]).toBeLessThan(0.7);
    }
    const config = JSON.parse(await readFile(join(half, "text_encoder/config.json"), "utf8")) as object;
    expect(config).toMatchObject({ torch_dtype: "float16" });
    expect(config).not.toHaveProperty("dtype");
  });

  test("with a vocabulary of its own where the model brings none", async () => {
    const model = {
      ...(await openStableDiffusion(MODEL)),
      vocabulary: { ids: { a: 0, b: 1, ab: 2 }, merges: [["a", "b"]] },
    } as const;
    const { writePipeline } = await import("../../src/checkpoints/write-pipeline.ts");
    const folder = join(root, "own");
    await writePipeline(folder, model, await model.unet.load(), { dtype: "F32" });
    expect(JSON.parse(await readFile(join(folder, "tokenizer/vocab.json"), "utf8"))).toEqual({ a: 0, b: 1, ab: 2 });
    expect(await readFile(join(folder, "tokenizer/merges.txt"), "utf8")).toBe("#version: 0.2\na b\n");
  });

  test("of a fine-tuned U-Net has its weights", async () => {
    const model = await openStableDiffusion(MODEL);
    const checkpoint = join(run, "checkpoints/000080");
    await mkdir(checkpoint, { recursive: true });
    const tuned = new Map(await model.unet.load());
    const name = "conv_out.bias";
    tuned.set(name, float32([1, 2, 3, 4]));
    await writeSafetensors(
      join(checkpoint, "diffusion_pytorch_model.safetensors"),
      [...tuned].map(([key, tensor]) => ({ name: key, tensor })),
    );
    await best("checkpoints/000080");
    const copy = await openStableDiffusion((await exported({ format: "diffusers" })).output);
    expect(await copy.unet.load()).toEqual(tuned);
    await expect(exported({ format: "kohya" })).rejects.toThrow("is a whole U-Net and no LoRA; only format diffusers");
  });
});

test("a checkpoint in a run's folder is exported with the run's model, whatever best.json says", async () => {
  const checkpoint = await trainedLora(await openStableDiffusion(MODEL));
  await best(null);
  await expect(exported({ format: "kohya" })).rejects.toThrow(
    new UsageError(
      `${run}: its best checkpoint is the starting model, so that there is nothing to export; name a checkpoint, such as ${run}/checkpoints/000040, or choose another with rpo select`,
    ),
  );
  const output = join(run, "exports", "dog-000040.safetensors");
  // what a kill left of an earlier try, and what is another program's
  const killed = basename(await temporaryPath(join(run, "exports", "peft-000040"))).replace(
    /\.\d+-/,
    `.${2 ** 22 + 1}-`,
  );
  await mkdir(join(run, "exports", killed), { recursive: true });
  for (const name of [".dog-000040.safetensors.1.partial", ".other.1.partial"]) {
    await writeFile(join(run, "exports", name), "");
    await utimes(join(run, "exports", name), 0, 0);
  }
  expect((await exported({ source: checkpoint, format: "kohya" })).output).toBe(output);
  expect((await readdir(join(run, "exports"))).sort()).toEqual([".other.1.partial", basename(output)]);
});

test("what fails leaves nothing behind", async () => {
  await trainedLora(await openStableDiffusion(MODEL), 1e5);
  for (const format of ["kohya", "peft"] as const)
    await expect(exported({ format, dtype: "F16" })).rejects.toThrow(/holds numbers above 65504, which F16 cannot/);
  await expect(exported({ format: "diffusers", dtype: "F16" })).rejects.toThrow(ModelError);
  expect(await readdir(join(run, "exports"))).toEqual([]);
  await writeFile(join(root, "taken"), "");
  await expect(exported({ format: "peft", output: join(root, "taken") })).rejects.toThrow("exists; choose another");
});

test("a LoRA of another model is found before anything is written", async () => {
  await trainedLora(await openStableDiffusion(MODEL));
  await expect(exported({ format: "kohya", model: golden("sd2.safetensors") })).rejects.toThrow(
    /is the LoRA of another model\?/,
  );
  expect(await readdir(run)).not.toContain("exports");
});
