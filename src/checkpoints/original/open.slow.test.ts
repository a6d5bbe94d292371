import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { golden, type Family } from "../../../tests/formats/golden.ts";
import { ModelError } from "../../system/errors.ts";
import { openSafetensors, writeSafetensors, type SafetensorsFile } from "../../tensor/safetensors.ts";
import { float32, zeros, type Tensor } from "../../tensor/tensor.ts";
import { noiseSchedule } from "../../diffusion/schedule.ts";
import { openStableDiffusion } from "../stable-diffusion.ts";
import { familyOf, predictionOf, recognize } from "./family.ts";
import type { Message } from "../../system/named-setting.ts";

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "original-"))));
afterEach(() => rm(folder, { recursive: true }));

/** A tiny checkpoint in one file with its configuration beside it, its tensors changed. */
async function changed(family: Family, change: (tensors: Map<string, Tensor>) => void): Promise<string> {
  const source = await openSafetensors(golden(`${family}.safetensors`));
  const tensors = new Map<string, Tensor>();
  for (const name of source.tensors.keys()) tensors.set(name, await source.read(name));
  change(tensors);
  await cp(golden(family), join(folder, "m"), { recursive: true });
  return save("m", tensors);
}

async function save(name: string, tensors: Iterable<readonly [string, Tensor]>, metadata = {}): Promise<string> {
  const path = join(folder, `${name}.safetensors`);
  await writeSafetensors(
    path,
    Array.from(tensors, ([key, tensor]) => ({ name: key, tensor })),
    { metadata },
  );
  return path;
}

const one = zeros([1]);

describe("what is no whole Stable Diffusion in the original layout is refused, saying what it seems to be:", () => {
  const U = "model.diffusion_model.input_blocks.0.0.weight";
  const V = "first_stage_model.encoder.conv_in.weight";
  test.each<[string, Record<string, Tensor>, RegExp]>([
    ["a LoRA", { "lora_unet_x.lora_down.weight": one }, /found a LoRA: give it as lora/],
    ["a VAE of diffusers", { "decoder.conv_in.weight": one }, /found a VAE: give it as vae/],
    ["the original's VAE", { "first_stage_model.decoder.conv_in.weight": one }, /found a VAE: give it as vae/],
    ["a trained word", { emb_params: one }, /found a textual inversion: give it as embedding/],
    ["a text encoder", { "text_model.x": one }, /found a text encoder: give the folder/],
    [
      "diffusers' ControlNet",
      { "down_blocks.0.x": one, "controlnet_down_blocks.0.weight": one },
      /a ControlNet is not/,
    ],
    ["PixArt", { "blocks.0.attn.qkv.weight": one }, /a diffusion transformer .* is not supported, only/],
    ["diffusers' U-Net", { "down_blocks.0.x": one }, /one part of a diffusers model: give the folder/],
    [
      "anything",
      { a: one, b: one },
      /expected a Stable Diffusion checkpoint with model.diffusion_model.\* in it, found a, b/,
    ],
    ["nothing", {}, /found no tensors/],
    ["no VAE", { [U]: one }, /there is no VAE in it \(first_stage_model.\*\)/],
    ["no text encoder", { [U]: one, [V]: one }, /there is no text encoder in it \(cond_stage_model.transformer.\*/],
    ["a refiner", { [U]: one, [V]: one, "conditioner.embedders.0.model.ln_final.bias": one }, /an SDXL refiner/],
    [
      "inpainting",
      { [U]: zeros([8, 9, 3, 3]), [V]: one, "cond_stage_model.transformer.x": one },
      /its U-Net takes 9 channels/,
    ],
    ["Stable Diffusion 3", { "model.diffusion_model.joint_blocks.0.x": one }, /Stable Diffusion 3 is not supported/],
    ["Flux", { "double_blocks.0.img_attn.norm.key_norm.scale": one }, /Flux is not supported/],
  ])("%s", async (_, tensors, message) => {
    const opening = openStableDiffusion(await save("x", Object.entries(tensors)));
    await expect(opening).rejects.toThrow(ModelError);
    await expect(opening).rejects.toThrow(message);
  });

  test("a pickle, by its name or by its bytes", async () => {
    await writeFile(join(folder, "x.ckpt"), "PK\x03\x04.....");
    await expect(openStableDiffusion(join(folder, "x.ckpt"))).rejects.toThrow(
      /x.ckpt: expected a .safetensors file .* pickled/,
    );
    await writeFile(join(folder, "x.safetensors"), "PK\x03\x04.....");
    await expect(openStableDiffusion(join(folder, "x.safetensors"))).rejects.toThrow("this is a pickle file");
  });
});

test("missing tensors are named as the file would name them; surplus ones are told of, but for a training's leftovers", async () => {
  const warnings: Message[] = [];
  const open = (path: string) => openStableDiffusion(path, { warn: (line) => warnings.push(line) });
  const name = "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn1.to_q.weight";
  const path = await changed("sd1", (tensors) => tensors.delete(name));
  await expect(open(path)).rejects.toThrow(`${path}: 1 tensor missing: ${name}`);
  await open(
    await changed("sd1", (tensors) => {
      for (const leftover of ["alphas_cumprod", "model_ema.decay", "cond_stage_model.transformer.x.position_ids"])
        tensors.set(leftover, one);
    }),
  );
  expect(warnings).toEqual([]);
  await open(await changed("sd1", (tensors) => void tensors.set("model.diffusion_model.extra.weight", one)));
  expect(warnings).toEqual([`${path}: 1 tensor not used: model.diffusion_model.extra.weight`]);
});

test("text encoders of 2022, without text_model. in their names, are the same", async () => {
  const prefix = "cond_stage_model.transformer.text_model.";
  const path = await changed("sd1", (tensors) => {
    for (const [name, tensor] of [...tensors])
      if (name.startsWith(prefix)) {
        tensors.delete(name);
        tensors.set(name.replace("text_model.", ""), tensor);
      }
  });
  const [old, today] = [await openStableDiffusion(path), await openStableDiffusion(golden("sd1.safetensors"))];
  expect(await old.textEncoders[0].load()).toEqual(await today.textEncoders[0].load());
});

test("a configuration of another kind beside the file is refused", async () => {
  const path = await changed("sd1", () => undefined);
  await rm(join(folder, "m"), { recursive: true });
  await cp(golden("sdxl"), join(folder, "m"), { recursive: true });
  await expect(openStableDiffusion(path)).rejects.toThrow("its pipeline has 2 text encoders");
});

test("without a configuration beside it, a file is taken for the real model of its kind", async () => {
  const path = await changed("sd1", () => undefined);
  await rm(join(folder, "m"), { recursive: true });
  // the tiny model has too few levels for that
  await expect(openStableDiffusion(path)).rejects.toThrow(/tensors missing: model\.diffusion_model\./);
});

describe("what a checkpoint predicts", () => {
  const norm = "model.diffusion_model.output_blocks.11.1.transformer_blocks.0.norm1.bias";
  const fileOf = async (kind: "sd1" | "sd2" | "sdxl", more: Record<string, Tensor> = {}, metadata = {}) => {
    const texts = {
      sd1: ["cond_stage_model.transformer.x"],
      sd2: ["cond_stage_model.model.x"],
      sdxl: ["conditioner.embedders.0.transformer.x", "conditioner.embedders.1.model.x"],
    }[kind];
    const names = ["model.diffusion_model.x", "first_stage_model.x", ...texts];
    const tensors = { ...Object.fromEntries(names.map((name) => [name, one])), ...more };
    return openSafetensors(await save("p", Object.entries(tensors), metadata));
  };
  const familyIn = async (file: SafetensorsFile) =>
    familyOf(recognize(file), (await predictionOf(file, recognize(file))).type);
  const predictionIn = async (...of: Parameters<typeof fileOf>) => {
    const file = await fileOf(...of);
    return predictionOf(file, recognize(file));
  };
  const small = float32([0.05, -0.05]);
  const large = float32([0.2, -0.2]);

  test("1.x and XL predict noise; 2.x is told by its header, else by a norm's bias", async () => {
    expect(await familyIn(await fileOf("sd1"))).toBe("sd1");
    expect(await familyIn(await fileOf("sdxl"))).toBe("sdxl");
    expect(await familyIn(await fileOf("sd2", { [norm]: small }))).toBe("sd2-base");
    expect(await familyIn(await fileOf("sd2", { [norm]: large }))).toBe("sd2-v");
    expect(await familyIn(await fileOf("sd2", { [norm]: small }, { "modelspec.prediction_type": "v" }))).toBe("sd2-v");
    const header = { "modelspec.prediction_type": "epsilon" };
    expect(await familyIn(await fileOf("sd2", { [norm]: large }, header))).toBe("sd2-base");
  });

  test.each<[string, Parameters<typeof fileOf>, string]>([
    ["the tensor v_pred", ["sdxl", { v_pred: zeros([0]) }], "v"],
    ["v_pred and ztsnr", ["sdxl", { v_pred: zeros([0]), ztsnr: zeros([0]) }], "v-zsnr"],
    ["ModelSpec's v", ["sd1", {}, { "modelspec.prediction_type": "v" }], "v"],
    ["another spelling of it", ["sd1", {}, { "modelspec.prediction_type": "v_prediction" }], "v"],
    ["ModelSpec's v with ztsnr", ["sd2", { ztsnr: zeros([0]) }, { "modelspec.prediction_type": "v" }], "v-zsnr"],
    ["kohya's header", ["sd1", {}, { ss_v_parameterization: "True" }], "v"],
    ["kohya's header of both", ["sd1", {}, { ss_v_parameterization: "True", ss_zero_terminal_snr: "True" }], "v-zsnr"],
    ["ModelSpec's epsilon", ["sd2", { [norm]: large }, { "modelspec.prediction_type": "epsilon" }], "epsilon"],
    ["nothing, of an XL", ["sdxl"], "epsilon"],
    ["ztsnr alone, which ComfyUI passes over too", ["sdxl", { ztsnr: zeros([0]) }], "epsilon"],
  ])("is believed of %s", async (_what, of, expected) => {
    expect(await predictionIn(...of)).toMatchObject({ type: expected, guessed: false });
  });

  test("is a tensor's word before a header's, which is told", async () => {
    const header = { "modelspec.prediction_type": "epsilon" };
    expect(await predictionIn("sdxl", { v_pred: zeros([0]) }, header)).toEqual({
      ...{ type: "v", guessed: false },
      contradicted: "modelspec.prediction_type",
    });
  });

  test("is a schedule of zero terminal SNR from its first step on, as diffusers has it, and what was asked for goes before", async () => {
    // tests/golden/diffusion/samplers.json has diffusers' answers for these settings
    const zeroSnr = { prediction_type: "v_prediction", rescale_betas_zero_snr: true, timestep_spacing: "trailing" };
    const path = await changed("sdxl", (tensors) => {
      tensors.set("v_pred", zeros([0]));
      tensors.set("ztsnr", zeros([0]));
    });
    const beside = await openStableDiffusion(path);
    // a configuration beside the file is its maker's word
    expect(beside.scheduler.values["prediction_type"]).toBe("epsilon");
    const asked = await openStableDiffusion(path, { prediction: "v-zsnr" });
    expect(asked.scheduler.values).toMatchObject(zeroSnr);
    const { alphasCumprod, predictionType } = noiseSchedule(asked.scheduler);
    expect([alphasCumprod.at(-1), predictionType]).toEqual([0, "v_prediction"]);
    const plain = await openStableDiffusion(path, { prediction: "v" });
    expect(noiseSchedule(plain.scheduler).alphasCumprod.at(-1)).toBeGreaterThan(0);
  });
});
