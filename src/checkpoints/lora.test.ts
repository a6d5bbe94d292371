import { mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ModelError } from "../system/errors.ts";
import { openSafetensors, writeSafetensors } from "../tensor/safetensors.ts";
import { float32, zeros, type Float32Tensor } from "../tensor/tensor.ts";
import { readLora, writeLora, type TextLora } from "./lora.ts";

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "lora-"))));
afterEach(() => rm(folder, { recursive: true }));

const layer = "mid_block.attentions.0.transformer_blocks.0.attn1.to_q";
const a = float32([1, 2, 3, 4, 5, 6], [2, 3]);
const b = float32([7, 8, 9, 10], [2, 2]);
const parameters = new Map([
  [`${layer}.lora_A.weight`, a],
  [`${layer}.lora_B.weight`, b],
]);
const lora = { rank: 2, alpha: 8, targets: ["to_q", "to_out.0"], parameters };
const path = () => join(folder, "adapter_model.safetensors");
const save = (tensors: Record<string, Float32Tensor>, metadata = {}) =>
  writeSafetensors(
    path(),
    Object.entries(tensors).map(([name, tensor]) => ({ name, tensor })),
    { metadata },
  );

test("a LoRA is read back as it was written, by folder and by file", async () => {
  await writeLora(folder, lora);
  const back = { rank: 2, alpha: 8, parameters };
  expect(await readLora(folder)).toEqual(back);
  expect(await readLora(path())).toEqual(back);
});

test("the folder says what diffusers and PEFT ask for", async () => {
  await writeLora(folder, { ...lora, base: "someone/model" });
  expect(JSON.parse(await readFile(join(folder, "adapter_config.json"), "utf8"))).toMatchObject({
    peft_type: "LORA",
    r: 2,
    lora_alpha: 8,
    target_modules: ["to_q", "to_out.0"],
    base_model_name_or_path: "someone/model",
  });
  const file = await openSafetensors(path());
  expect(JSON.parse(file.metadata.get("lora_adapter_metadata") ?? "")).toEqual({
    "unet.r": 2,
    "unet.lora_alpha": 8,
    "unet.target_modules": ["to_q", "to_out.0"],
  });
  const prefixes = ["unet.", "base_model.model."];
  const keys = prefixes.flatMap((prefix) => ["A", "B"].map((side) => `${prefix}${layer}.lora_${side}.weight`));
  expect([...file.tensors.keys()].sort()).toEqual(keys.sort());
});

const textLayer = "text_model.encoder.layers.0.self_attn.q_proj";
const text: TextLora = {
  ...{ part: "text_encoder_2", rank: 2, alpha: 3 },
  parameters: new Map([
    [`${textLayer}.lora_A.weight`, b],
    [`${textLayer}.lora_B.weight`, zeros([5, 2])],
  ]),
};

test("a LoRA of text encoders stands beside the U-Net's, under diffusers' names and with settings of its own", async () => {
  await writeLora(folder, { ...lora, texts: [text] });
  expect(await readLora(folder)).toEqual({ rank: 2, alpha: 8, parameters, texts: [text] });
  const file = await openSafetensors(path());
  expect(JSON.parse(file.metadata.get("lora_adapter_metadata") ?? "")).toMatchObject({
    "unet.r": 2,
    "text_encoder_2.r": 2,
    "text_encoder_2.lora_alpha": 3,
    "text_encoder_2.target_modules": ["q_proj"],
  });
  expect([...file.tensors.keys()].filter((key) => key.includes("text_model"))).toEqual(
    ["A", "B"].map((side) => `text_encoder_2.${textLayer}.lora_${side}.weight`),
  );
  const keys = ["A", "B"].map((side) => `text_encoder.${textLayer}.lora_${side}.weight`);
  await save({ [keyA]: a, [keyB]: b, ...Object.fromEntries(keys.map((key) => [key, b])) }, settings({}));
  expect((await readLora(folder)).texts).toMatchObject([{ part: "text_encoder", rank: 2, alpha: 2 }]);
});

test.each(["", "unet.", "base_model.model.", "base_model.model.unet."])(
  "keys that begin with '%s' are read, alpha being the rank where nothing says otherwise",
  async (prefix) => {
    await save({ [`${prefix}${layer}.lora_A.weight`]: a, [`${prefix}${layer}.lora_B.weight`]: b });
    expect(await readLora(folder)).toEqual({ rank: 2, alpha: 2, parameters });
    await writeFile(join(folder, "adapter_config.json"), '{"peft_type": "LORA", "r": 2, "lora_alpha": 5}');
    expect(await readLora(folder)).toEqual({ rank: 2, alpha: 5, parameters });
    await rename(path(), join(folder, "pytorch_lora_weights.safetensors"));
    expect((await readLora(folder)).alpha).toBe(2);
  },
);

const saved = async () => {
  await save({ w: a });
  return path();
};
const [keyA, keyB] = [`unet.${layer}.lora_A.weight`, `unet.${layer}.lora_B.weight`];
const settings = (value: Record<string, unknown>) => ({
  lora_adapter_metadata: JSON.stringify({ "unet.r": 2, "unet.lora_alpha": 2, ...value }),
});
test.each<[string, Record<string, Float32Tensor>, Record<string, string>, string]>([
  ["a missing partner", { [keyA]: a }, {}, `${layer}.lora_B.weight is missing`],
  ["another rank in B", { [keyA]: a, [keyB]: zeros([2, 3]) }, {}, "lora_B.weight has shape [2, 3], expected [out, 2]"],
  ["another rank in the settings", { [keyA]: a, [keyB]: b }, settings({ "unet.r": 3 }), "expected [3, in]"],
  ["a rank of 0", { [keyA]: a, [keyB]: b }, settings({ "unet.r": 0 }), "unet.r must be an integer of 1 or more, not 0"],
  ["no alpha", { [keyA]: a, [keyB]: b }, settings({ "unet.lora_alpha": null }), "unet.lora_alpha must be a number"],
  ["DoRA", { [keyA]: a, [keyB]: b }, settings({ "unet.use_dora": true }), "use_dora true is not supported here"],
  ["ranks by layer", { [keyA]: a, [keyB]: b }, settings({ "unet.rank_pattern": { x: 3 } }), "rank_pattern"],
  ["broken settings", { [keyA]: a, [keyB]: b }, { lora_adapter_metadata: "{" }, "expected JSON, but"],
  ["a text encoder's", { "text_encoder.q.lora_A.weight": a }, {}, "text_encoder.q.lora_A.weight is not supported"],
  ["text encoders alone", { [`text_encoder.${textLayer}.lora_A.weight`]: a }, {}, "a LoRA of text encoders alone"],
  [
    "a text encoder's missing partner",
    { [keyA]: a, [keyB]: b, [`text_encoder.${textLayer}.lora_A.weight`]: a },
    settings({ "text_encoder.r": 2, "text_encoder.lora_alpha": 3 }),
    `${textLayer}.lora_B.weight is missing`,
  ],
  ["a whole model", { "conv_in.weight": a }, {}, "conv_in.weight is not supported"],
  ["nothing", {}, {}, "holds no tensors"],
])("%s is a ModelError", async (_, tensors, metadata, message) => {
  await save(tensors, metadata);
  const reading = readLora(folder);
  await expect(reading).rejects.toThrow(ModelError);
  await expect(reading).rejects.toThrow(message);
  await expect(reading).rejects.toThrow(path());
});

test("a folder with only pickle files or nothing is refused", async () => {
  await expect(readLora(folder)).rejects.toThrow("expected adapter_model.safetensors, found no safetensors file");
  await writeFile(join(folder, "pytorch_lora_weights.bin"), "");
  const hint = join(folder, "pytorch_lora_weights.bin");
  await expect(readLora(folder)).rejects.toThrow(
    `found only pytorch_lora_weights.bin, a pickle file, which can run code and is not read here; make a safetensors file of it: python -c "import torch;`,
  );
  await expect(readLora(folder)).rejects.toThrow(`torch.load(r'${hint}'`);
  await expect(readLora(folder)).rejects.toThrow(`r'${hint.replace(/bin$/, "safetensors")}'`);
  const pickle = join(folder, "pytorch_lora_weights.bin");
  await expect(readLora(pickle)).rejects.toThrow(`torch.load(r'${pickle}', map_location='cpu', weights_only=True)`);
  await expect(readLora(join(folder, "none"))).rejects.toThrow("none: no such file");
});

test("a folder with several files of LoRAs asks for one of them", async () => {
  for (const name of ["b", "a", "c", "d"]) await rename(await saved(), join(folder, `${name}.safetensors`));
  await expect(readLora(folder)).rejects.toThrow(
    `holds 4 files that may be LoRAs (a.safetensors, b.safetensors, c.safetensors, ...); name one of them, such as ${join(folder, "a.safetensors")}`,
  );
});

test("rank-stabilized settings divide alpha by the rank's root", async () => {
  await save({ [keyA]: a, [keyB]: b }, settings({ "unet.use_rslora": true }));
  expect((await readLora(folder)).alpha).toBeCloseTo(2 * Math.sqrt(2), 12);
});

test("a LoRA with a tensor of another rank is not written", async () => {
  await expect(writeLora(folder, { ...lora, rank: 3 })).rejects.toThrow("expected [3, in]");
});
