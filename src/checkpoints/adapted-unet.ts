import { readdir, stat } from "node:fs/promises";
import type { UnetConfig } from "../models/unet/config.ts";
import type { LoraConfig } from "../nn/lora.ts";
import { ModelError } from "../system/errors.ts";
import type { Float32Tensor, Weight } from "../tensor/tensor.ts";
import { isCrossAttention, readCrossAttention } from "./cross-attention.ts";
import { wordFilesIn } from "./embeddings/word-files.ts";
import { unetParameters } from "./graphs.ts";
import { readLoraFile } from "./lora-files/read.ts";
import type { LoraUpdates } from "./lora-files/updates.ts";
import { readLora } from "./lora.ts";
import { checkTrained } from "./trained-files.ts";
import { declaredOn, openPart, type Held, type Part } from "./part.ts";
import { unetGraph, type StableDiffusion } from "./stable-diffusion.ts";

/** A U-Net as it is to be drawn with. */
export interface AdaptedUnet<W extends Weight> {
  readonly weights: ReadonlyMap<string, W>;
  readonly lora?: LoraConfig;
  /** What was trained of the text encoders beside it, which whoever reads texts has to merge into them. */
  readonly texts?: LoraUpdates;
}

/**
 * Loads a checkpoint's U-Net with what was trained on top of it.
 * @param adapter a LoRA's file or folder, a fine-tuned U-Net's folder as diffusers has it, or a trained word's, which changes nothing of the
 * U-Net; undefined for the checkpoint as it is
 * @param load reads a U-Net's weights, in the precision that is wanted
 * @throws ModelError when it is damaged or of another U-Net
 */
export async function loadAdapted<W extends Weight>(
  model: StableDiffusion,
  adapter: string | undefined,
  load: (unet: Part<UnetConfig>) => Promise<ReadonlyMap<string, W>>,
): Promise<AdaptedUnet<W | Float32Tensor>> {
  const { unet: base, folder } = model;
  if (adapter === undefined) return { weights: await load(base) };
  if (await isWholeUnet(adapter)) {
    await checkTrained(adapter);
    const expected = (held: Held) => unetParameters(base.config, held);
    return {
      weights: await load(await openPart(adapter, base.config, expected, { stem: "diffusion_pytorch_model" })),
    };
  }
  if (await isCrossAttention(adapter)) {
    const unet = await load(base);
    return { weights: new Map<string, W | Float32Tensor>([...unet, ...(await readCrossAttention(adapter, unet))]) };
  }
  if (await isWord(adapter)) {
    await checkTrained(adapter);
    return { weights: await load(base) };
  }
  const { rank, alpha, parameters, texts } = await readLora(adapter);
  const targets = [...new Set([...parameters.keys()].map((name) => name.replace(/\.lora_[AB]\.weight$/, "")))];
  const lora = { rank, alpha, targets };
  checkLora(adapter, folder, lora, parameters, base.config);
  return {
    weights: new Map<string, W | Float32Tensor>([...(await load(base)), ...parameters]),
    lora,
    ...(texts !== undefined && { texts: await readLoraFile(adapter, model) }),
  };
}

/** Whether what was trained is a U-Net's folder as diffusers has it, in one file or several, and not a LoRA. */
export async function isWholeUnet(adapter: string): Promise<boolean> {
  if (!(await stat(adapter)).isDirectory()) return false;
  return (await readdir(adapter)).some((name) => /^diffusion_pytorch_model[.-].*safetensors/.test(name));
}

/** Whether what was trained is a word alone. */
export async function isWord(adapter: string): Promise<boolean> {
  if ((await wordFilesIn(adapter)).length === 0) return false;
  return !(await readdir(adapter)).some((name) =>
    /^(adapter_model|pytorch_lora_weights|pytorch_custom_diffusion_weights)\.safetensors$/.test(name),
  );
}

/** @throws ModelError when the LoRA is of another U-Net */
function checkLora(
  adapter: string,
  folder: string,
  lora: LoraConfig,
  parameters: ReadonlyMap<string, Float32Tensor>,
  config: StableDiffusion["unet"]["config"],
): void {
  const expected = new Map(declaredOn(unetGraph(config, lora)).map(({ name, shape }) => [name, shape.join(", ")]));
  for (const [name, { shape }] of parameters)
    if (expected.get(name) !== shape.join(", "))
      throw new ModelError(
        `${adapter}: ${name} has shape [${shape.join(", ")}], the U-Net of ${folder} ${expected.has(name) ? `takes [${expected.get(name)}]` : "has no such layer"}; is the LoRA of another model?`,
      );
}
