import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { golden } from "../../../tests/formats/golden.ts";
import { ModelError } from "../../system/errors.ts";
import { writeSafetensors } from "../../tensor/safetensors.ts";
import { float32, zeros, type Float32Tensor } from "../../tensor/tensor.ts";
import { openStableDiffusion } from "../stable-diffusion.ts";
import { readLoraFile } from "./read.ts";
import type { LayerUpdate, LoraUpdates } from "./updates.ts";

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
    ["PEFT, an adapter's name in it", `base_model.model.${QUERY}.lora_A.default.weight`, QUERY],
    ["ComfyUI", "diffusion_model.input_blocks.1.1.transformer_blocks.0.attn1.to_q.lora_down.weight", QUERY],
    ["OneTrainer for ComfyUI", "diffusion_model.input_blocks.1.1.transformer_blocks.0.attn1.to_q.lora_A.weight", QUERY],
    ["OneTrainer's original", "input_blocks.1.1.transformer_blocks.0.attn1.to_q.lora_A.weight", QUERY],
    ["OneTrainer's backups", `unet.${QUERY}.lora_down.weight`, QUERY],
    ["LyCORIS' wrapper", `lycoris_${QUERY.replaceAll(".", "_")}.lora_down.weight`, QUERY],
    ["diffusers' WebUI", `lora_unet_${QUERY.replaceAll(".", "_")}_lora.down.weight`, QUERY],
    ["diffusers' WebUI", `lora_unet_${attention.replaceAll(".", "_")}_to_out_lora.down.weight`, OUT],
    ["a bare text encoder's", `base_model.model.text_model.${TEXT}.lora_A.weight`, TEXT],
    ["LyCORIS' wrapper of a text encoder", `lycoris_text_model_${TEXT.replaceAll(".", "_")}.lora_down.weight`, TEXT],
    ["ComfyUI", `text_encoders.clip_l.transformer.text_model.${TEXT}.lora_down.weight`, TEXT],
    ["OneTrainer of 2.x", `text_encoders.clip_h.transformer.text_model.${TEXT}.lora_A.weight`, TEXT],
    ["ComfyUI, cut", `clip_l.transformer.text_model.${TEXT}.lora_A.weight`, TEXT],
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
    expect(update).toMatchObject({
      layer: { name: layer },
      delta: { kind: "product", down: tensorA, up: tensorB },
      scale: 1,
    });
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
    const both = (await read({ ...pair, ...alpha(3), ...pair2 })).get("unet");
    expect(both?.map(({ layer, scale: each }) => [layer.name.at(-1), each]).sort()).toEqual([
      ["k", 1],
      ["q", 1.5],
    ]);
  });

  test("of a LoKr the alpha by the rank of what is decomposed; 1 where nothing is", async () => {
    const w = (name: string, ...shape: number[]) => ({ [`${kohya}.${name}`]: zeros(shape) });
    const whole = { ...w("lokr_w1", 2, 2), ...w("lokr_w2", 4, 4), ...alpha(3) };
    expect(await scale(whole)).toBe(1);
    // a rank of 100000, which LyCORIS takes for "whole", in half precision
    expect(await scale({ ...whole, ...alpha(Infinity) })).toBe(1);
    const half = { ...w("lokr_w1", 2, 2), ...w("lokr_w2_a", 4, 2), ...w("lokr_w2_b", 2, 4), ...alpha(3) };
    expect(await scale(half)).toBe(1.5);
    expect(await scale({ ...w("lokr_w1_a", 2, 1), ...w("lokr_w1_b", 1, 2), ...w("lokr_w2", 4, 4), ...alpha(3) })).toBe(
      3,
    );
  });

  test("rsLoRA's is alpha by the root of the rank; patterns match as PEFT's do, an anchor at the whole name's start", async () => {
    const settings = (value: object) => ({
      lora_adapter_metadata: JSON.stringify({ "unet.r": 2, "unet.lora_alpha": 8, "unet.use_rslora": true, ...value }),
    });
    expect(await scale(dotted, settings({}))).toBeCloseTo(8 / Math.SQRT2, 12);
    const patterned = (pattern: Record<string, number>) => scale(dotted, settings({ "unet.alpha_pattern": pattern }));
    expect(await patterned({ "^attn1.to_q": 3, [`^${QUERY}`]: 4, to_q: 5 })).toBeCloseTo(4 / Math.SQRT2, 12);
    expect(await patterned({ "attn1.to_(k|q)": 4 })).toBeCloseTo(4 / Math.SQRT2, 12);
    expect(await patterned({ "down_blocks\\.\\d+.*attn1.to_q": 4 })).toBeCloseTo(4 / Math.SQRT2, 12);
    expect(await patterned({ "attn2.*": 4, o_q: 3 })).toBeCloseTo(8 / Math.SQRT2, 12);
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
  test("PEFT's settings name an adapter whose keys nobody knows", async () => {
    await writeSafetensors(join(folder, "adapter_model.safetensors"), [
      { name: `base_model.model.${QUERY}.fourierft_spectrum`, tensor: a },
    ]);
    await writeFile(join(folder, "adapter_config.json"), '{"peft_type":"FOURIERFT"}');
    await expect(readLoraFile(folder, model)).rejects.toThrow(
      `${join(folder, "adapter_config.json")}: peft_type "FOURIERFT" is not supported, only LORA, LOHA, LOKR`,
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
  expect(update).toMatchObject({
    delta: { down: { shape: [2, 72] }, up: { shape: [8, 2] } },
    layer: { shape: [8, 8, 3, 3] },
  });
});

describe("nothing is passed over:", () => {
  test.each<[string, Tensors, RegExp]>([
    ["a layer in two spellings", { ...pair, ...dotted }, /to_q.lora_A.weight are of the same layer/],
    ["a layer of two adapters", { ...dotted, [`unet.${QUERY}.lora_A.b.weight`]: a }, /are of the same layer/],
    [
      "a rank of 0",
      { [`${kohya}.lora_down.weight`]: zeros([0, 8]), [`${kohya}.lora_up.weight`]: zeros([8, 0]) },
      /has rank 0/,
    ],
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
    ["an alpha of many", { ...pair, [`${kohya}.alpha`]: zeros([2]) }, /must be one number above 0, not of shape \[2\]/],
    ["an alpha of infinity", { ...pair, ...alpha(Infinity) }, /must be one number above 0, not \[Infinity\]/],
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
    ["half a LoHa", { [`${kohya}.hada_w1_a`]: b }, /hada_w1_a is there, but the layer's hada_w1_b is missing/],
    ["half a LoKr", { [`${kohya}.lokr_w1`]: b }, /lokr_w1 is there, but the layer's lokr_w2_a is missing/],
    [
      "a LoKr of another size",
      { [`${kohya}.lokr_w1`]: zeros([2, 2]), [`${kohya}.lokr_w2`]: zeros([4, 3]) },
      /update a weight of \[8, 6\], but the model's .*to_q has \[8, 8\]/,
    ],
    ["LoRA and LoHa of a layer", { ...pair, [`${kohya}.hada_w1_a`]: b }, /are of the same layer/],
    [
      "a magnitude of nothing",
      { ...pair, [`${kohya}.dora_scale`]: zeros([3]) },
      /dora_scale has shape \[3\], expected a length/,
    ],
    ["a magnitude alone", { [`${kohya}.dora_scale`]: zeros([8, 1]) }, /dora_scale is there, but the layer's down/],
    [
      "a middle of another rank",
      { ...pair, [`${kohya}.lora_mid.weight`]: zeros([3, 3, 1, 1]) },
      /lora_mid.weight has shape \[3, 3, 1, 1\], expected \[2, 2\]/,
    ],
    ["OFT", { [`${kohya}.oft_blocks`]: a }, /oft_blocks is OFT or BOFT, which is not supported/],
    ["T-LoRA", { [`${kohya}.lambda_layer`]: a }, /is T-LoRA/],
    ["biases of diffusers' LoRA", { [`unet.${QUERY}.lora.up.bias`]: a }, /is a LoRA with bias/],
    ["GLoRA", { [`${kohya}.a1.weight`]: a }, /is GLoRA/],
    ["IA3 of LyCORIS", { [`${kohya}.on_input`]: a }, /is IA3/],
    ["IA3 of PEFT", { [`base_model.model.${QUERY}.ia3_l`]: a }, /is IA3/],
    [
      "layers saved whole",
      { ...dotted, "base_model.model.conv_in.modules_to_save.weight": a },
      /PEFT's modules_to_save/,
    ],
    ["biases", { ...dotted, [`base_model.model.${OUT}.base_layer.bias`]: a }, /PEFT's bias/],
    ["a whole weight", { [`${kohya}.diff`]: a }, /is whole weights or biases/],
    ["kohya's Flux", { "lora_unet_double_blocks_0_img_attn_proj.alpha": a }, /this is a LoRA of Flux/],
    [
      "diffusers' Flux",
      { "transformer.single_transformer_blocks.0.attn.to_q.lora_A.weight": a },
      /this is a LoRA of Flux/,
    ],
    ["ComfyUI's Flux", { "diffusion_model.single_blocks.0.linear1.lora_A.weight": a }, /this is a LoRA of Flux/],
    ["kohya's Stable Diffusion 3", { "lora_unet_joint_blocks_0_x.alpha": a }, /this is a LoRA of Stable Diffusion 3/],
    [
      "diffusers' SD 3",
      { "transformer.transformer_blocks.0.attn.add_q_proj.lora_A.weight": a },
      /of Stable Diffusion 3/,
    ],
    ["Cascade", { "lora_prior_unet_down_blocks.alpha": a }, /of Stable Cascade/],
    ["Wan", { "diffusion_model.blocks.0.self_attn.q.lora_A.weight": a }, /of a diffusion transformer/],
    [
      "a language model",
      { "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight": a },
      /of a language model/,
    ],
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
    [
      '{"unet.r":2,"unet.lora_alpha":2,"unet.use_dora":true}',
      /use_dora is true, but l.safetensors has no magnitude of .*to_q/,
    ],
    [
      '{"unet.r":2,"unet.lora_alpha":2,"unet.alpha_pattern":{"to_q":"x"}}',
      /alpha_pattern: to_q must be a number above 0/,
    ],
    ['{"unet.r":2,"unet.lora_alpha":2,"unet.alpha_pattern":{"(.*)*":1}}', /only names of layers and simple regular/],
    ['{"unet.r":2,"unet.lora_alpha":2,"unet.alpha_pattern":{"(a":1}}', /only names of layers and simple regular/],
    ['{"unet.r":2,"unet.lora_alpha":2,"unet.alpha_pattern":{".*.*.*a":1}}', /only names of layers and simple regular/],
    ["[", /lora_adapter_metadata: expected JSON/],
    ['{"unet.r":3,"unet.lora_alpha":2}', /lora_adapter_metadata: r is 3 for .*to_q, whose matrices in .* have rank 2/],
    ['{"unet.r":2,"unet.lora_alpha":2,"unet.rank_pattern":{"to_q":5}}', /r is 5 for .*to_q, .* have rank 2/],
  ])("settings %s", async (text, message) => {
    await expect(read(dotted, { lora_adapter_metadata: text })).rejects.toThrow(message);
  });
});
