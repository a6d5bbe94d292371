import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { golden } from "../../../tests/formats/golden.ts";
import { ModelError } from "../../system/errors.ts";
import { writeSafetensors } from "../../tensor/safetensors.ts";
import { float32, zeros, type Float32Tensor } from "../../tensor/tensor.ts";
import { openStableDiffusion } from "../stable-diffusion.ts";
import { readLoraFile, type LayerUpdate, type LoraUpdates } from "./read.ts";

const model = await openStableDiffusion(golden("sd1.safetensors"));

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "lora-"))));
afterEach(() => rm(folder, { recursive: true }));

type Tensors = Readonly<Record<string, Float32Tensor>>;

async function read(tensors: Tensors, metadata: Readonly<Record<string, string>> = {}): Promise<LoraUpdates> {
  const path = join(folder, "l.safetensors");
  const entries = Object.entries(tensors).map(([name, tensor]) => ({ name, tensor }));
  await writeSafetensors(path, entries, { metadata });
  return readLoraFile(path, model);
}

const only = (updates: LoraUpdates): [part: string, update: LayerUpdate] => {
  const all = [...updates].flatMap(([part, list]) => list.map((update): [string, LayerUpdate] => [part, update]));
  expect(all.length).toBe(1);
  return all[0];
};

// the first layer's queries take 8 features of 8 channels
const QUERY = "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q";
const OUT = "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_out.0";
const TEXT = "encoder.layers.0.self_attn.q_proj";
const a = float32([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16], [2, 8]);
const b = float32([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16], [8, 2]);
const [textA, textB] = [zeros([2, 16]), zeros([16, 2])];

describe("every way to spell a layer leads to it:", () => {
  const attention = "down_blocks.0.attentions.0.transformer_blocks.0.attn1";
  test.each([
    ["kohya", "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q.lora_down.weight", QUERY],
    ["the original's blocks", "lora_unet_input_blocks_1_1_transformer_blocks_0_attn1_to_q.lora_down.weight", QUERY],
    ["diffusers", `unet.${QUERY}.lora_A.weight`, QUERY],
    ["PEFT", `base_model.model.${QUERY}.lora_A.weight`, QUERY],
    ["PEFT of a pipeline's U-Net", `base_model.model.unet.${QUERY}.lora_A.weight`, QUERY],
    ["a bare U-Net's", `${QUERY}.lora_A.weight`, QUERY],
    ["diffusers' scripts", `unet.${QUERY}.lora.down.weight`, QUERY],
    ["diffusers of early 2023", `unet.${attention}.processor.to_q_lora.down.weight`, QUERY],
    ["diffusers of early 2023", `unet.${attention}.processor.to_out_lora.down.weight`, OUT],
    ["kohya", "lora_te_text_model_encoder_layers_0_self_attn_q_proj.lora_down.weight", TEXT],
    ["kohya of XL", "lora_te1_text_model_encoder_layers_0_self_attn_q_proj.lora_down.weight", TEXT],
    ["diffusers", `text_encoder.text_model.${TEXT}.lora_A.weight`, TEXT],
    ["diffusers with transformers 5", `text_encoder.${TEXT}.lora_A.weight`, TEXT],
    ["diffusers' scripts", `text_encoder.text_model.${TEXT}.lora_linear_layer.down.weight`, TEXT],
    ["diffusers of early 2023", `text_encoder.text_model.encoder.layers.0.self_attn.to_q_lora.down.weight`, TEXT],
  ])("%s: %s", async (_, down, layer) => {
    const up = down.replace("lora_down", "lora_up").replace("lora_A", "lora_B").replace(".down.", ".up.");
    const [tensorA, tensorB] = layer === TEXT ? [textA, textB] : [a, b];
    const [part, update] = only(await read({ [down]: tensorA, [up]: tensorB }));
    expect(part).toBe(layer === TEXT ? "text_encoder" : "unet");
    expect(update).toMatchObject({ layer: { name: layer }, down: tensorA, up: tensorB, scale: 1 });
  });
});

const kohya = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q";
const second = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_k";
const pair: Tensors = { [`${kohya}.lora_down.weight`]: a, [`${kohya}.lora_up.weight`]: b };
const pair2: Tensors = { [`${second}.lora_down.weight`]: a, [`${second}.lora_up.weight`]: b };
const alpha = (value: number) => ({ [`${kohya}.alpha`]: float32([value], []) });
const dotted: Tensors = { [`unet.${QUERY}.lora_A.weight`]: a, [`unet.${QUERY}.lora_B.weight`]: b };

describe("the scale is alpha by rank:", () => {
  const scale = async (tensors: Tensors, metadata = {}) => only(await read(tensors, metadata))[1].scale;
  test("kohya's alpha; without one, 1", async () => {
    expect(await scale({ ...pair, ...alpha(3) })).toBe(1.5);
    expect(await scale(pair)).toBe(1);
  });
  test("diffusers' header, with alphas of single layers", async () => {
    const settings = { "unet.r": 2, "unet.lora_alpha": 8, "unet.alpha_pattern": { to_q: 5 } };
    expect(await scale(dotted, { lora_adapter_metadata: JSON.stringify(settings) })).toBe(2.5);
    settings["unet.alpha_pattern"] = { to_q: 5, ["o_q"]: 7 } as never;
    expect(await scale(dotted, { lora_adapter_metadata: JSON.stringify(settings) })).toBe(2.5);
    const none = { "unet.r": 2, "unet.lora_alpha": 8 };
    expect(await scale(dotted, { lora_adapter_metadata: JSON.stringify(none) })).toBe(4);
    // settings of another part do not count
    expect(await scale(dotted, { lora_adapter_metadata: '{"text_encoder.r":1,"text_encoder.lora_alpha":9}' })).toBe(1);
  });
  test("PEFT's settings beside the file", async () => {
    await writeSafetensors(
      join(folder, "adapter_model.safetensors"),
      Object.entries(dotted).map(([name, tensor]) => ({ name, tensor })),
    );
    await writeFile(join(folder, "adapter_config.json"), '{"peft_type":"LORA","r":2,"lora_alpha":7}');
    expect(only(await readLoraFile(folder, model))[1].scale).toBe(3.5);
    await writeFile(join(folder, "adapter_config.json"), '{"peft_type":"LORA","r":4,"lora_alpha":7}');
    await expect(readLoraFile(folder, model)).rejects.toThrow(
      new ModelError(
        `${join(folder, "adapter_config.json")}: r is 4 for ${QUERY}, whose matrices in adapter_model.safetensors have rank 2; are the settings of another LoRA?`,
      ),
    );
  });
});

test("a convolution's kernel is a matrix of its own width", async () => {
  const conv = "lora_unet_down_blocks_0_resnets_0_conv1";
  const tensors = {
    [`${conv}.lora_down.weight`]: zeros([2, 8, 3, 3]),
    [`${conv}.lora_up.weight`]: zeros([8, 2, 1, 1]),
  };
  const [, update] = only(await read(tensors));
  expect(update).toMatchObject({ down: { shape: [2, 72] }, up: { shape: [8, 2] }, layer: { shape: [8, 8, 3, 3] } });
});

describe("nothing is passed over:", () => {
  test.each<[string, Tensors, RegExp]>([
    ["two kinds of keys", { ...pair, ...dotted }, /are of two kinds of LoRA files; expected one kind/],
    [
      "no up matrix",
      { [`${kohya}.lora_down.weight`]: a },
      /lora_down.weight is there, but the layer's up \(B\) matrix/,
    ],
    ["only an alpha", alpha(1), /alpha is there, but the layer's down \(A\) matrix is missing/],
    [
      "ranks that differ",
      { ...pair, [`${kohya}.lora_up.weight`]: zeros([8, 3]) },
      /\[2, 8\] and .* \[8, 3\] differ in rank/,
    ],
    [
      "an alpha that only some have",
      { ...pair, ...alpha(1), ...pair2 },
      /attn1_to_q.alpha is there, but .*attn1_to_k has no alpha/,
    ],
    ["an alpha of 0", { ...pair, ...alpha(0) }, /alpha must be one number above 0, not \[0\]/],
    ["NaN", { ...pair, [`${kohya}.lora_up.weight`]: float32(new Array<number>(16).fill(NaN), [8, 2]) }, /holds NaN/],
    [
      "a layer that the model lacks",
      { "lora_unet_down_blocks_7_conv.lora_down.weight": a },
      /sd1.safetensors has no such layer; is the LoRA of another/,
    ],
    ["an encoder that the model lacks", { "lora_te2_text_model_x.lora_down.weight": a }, /has no such layer/],
    [
      "another model's width",
      { [`${kohya}.lora_down.weight`]: zeros([2, 9]), [`${kohya}.lora_up.weight`]: b },
      /update a weight of \[8, 9\], but the model's .*to_q has \[8, 8\]/,
    ],
    [
      "a layer twice",
      { ...pair, "lora_unet_input_blocks_1_1_transformer_blocks_0_attn1_to_q.lora_down.weight": a },
      /are of the same layer/,
    ],
    ["LoHa", { [`${kohya}.hada_w1_a`]: a }, /hada_w1_a is LoHa, which is not supported, only LoRA/],
    ["LoKr", { [`${kohya}.lokr_w1`]: a }, /is LoKr/],
    ["DoRA", { ...pair, [`${kohya}.dora_scale`]: a }, /is DoRA/],
    ["Tucker's middle", { ...pair, [`${kohya}.lora_mid.weight`]: a }, /is a convolution in three factors/],
    ["a whole weight", { [`${kohya}.diff`]: a }, /is whole weights or biases/],
    ["Flux", { "transformer.single_transformer_blocks.0.attn.to_q.lora_A.weight": a }, /another kind of model/],
    ["a whole model", { "conv_in.weight": a }, /conv_in.weight is no key of a LoRA, expected such as/],
    ["nothing", {}, /holds no tensors/],
  ])("%s", async (_, tensors, message) => {
    const reading = read(tensors);
    await expect(reading).rejects.toThrow(ModelError);
    await expect(reading).rejects.toThrow(message);
    await expect(reading).rejects.toThrow(folder);
  });

  test.each([
    ['{"unet.r":2}', /unet.lora_alpha must be a number above 0/],
    ['{"unet.r":2,"unet.lora_alpha":2,"unet.use_dora":true}', /use_dora true is not supported/],
    [
      '{"unet.r":2,"unet.lora_alpha":2,"unet.alpha_pattern":{"to_q":"x"}}',
      /alpha_pattern: to_q must be a number above 0/,
    ],
    ['{"unet.r":2,"unet.lora_alpha":2,"unet.alpha_pattern":{"to_(q|k)":1}}', /only names of layers are supported/],
    ["[", /lora_adapter_metadata: expected JSON/],
    ['{"unet.r":3,"unet.lora_alpha":2}', /lora_adapter_metadata: r is 3 for .*to_q, whose matrices in .* have rank 2/],
    ['{"unet.r":2,"unet.lora_alpha":2,"unet.rank_pattern":{"to_q":5}}', /r is 5 for .*to_q, .* have rank 2/],
  ])("settings %s", async (text, message) => {
    await expect(read(dotted, { lora_adapter_metadata: text })).rejects.toThrow(message);
  });
});
