import { join } from "node:path";
import { stat } from "node:fs/promises";
import { ModelError } from "../system/errors.ts";
import { exists } from "../system/files.ts";
import { allFinite } from "../tensor/finite.ts";
import { openSafetensors, writeSafetensors } from "../tensor/safetensors.ts";
import type { Float32Tensor, Weight } from "../tensor/tensor.ts";
import { CROSS_ATTENTION_FILE, nameInFile, nameInUnet } from "./cross-attention-names.ts";
import { checkTrained } from "./trained-files.ts";

/** Weights of a U-Net's attention to texts, as Custom Diffusion trains them: keys and values, and in its authors' variant for faces all of it. */

/**
 * Writes them as diffusers' script does.
 * @param weights by the U-Net's names: `...attn2.to_k.weight`
 * @param metadata for the file's header, besides
 */
export async function writeCrossAttention(
  folder: string,
  weights: ReadonlyMap<string, Float32Tensor>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const tensors = [...weights].flatMap(([name, tensor]) => {
    const key = nameInFile(name);
    return key === undefined ? [] : [{ name: key, tensor }];
  });
  await writeSafetensors(join(folder, CROSS_ATTENTION_FILE), tensors, { metadata });
}

/** Whether what was trained is a folder with such a file. */
export async function isCrossAttention(adapter: string): Promise<boolean> {
  return (await stat(adapter)).isDirectory() && (await exists(join(adapter, CROSS_ATTENTION_FILE)));
}

/**
 * Reads them by the U-Net's names.
 * @param unet the weights that they stand for
 * @throws ModelError when they are damaged or of another U-Net
 */
export async function readCrossAttention(
  folder: string,
  unet: ReadonlyMap<string, Weight>,
): Promise<Map<string, Float32Tensor>> {
  await checkTrained(folder);
  const file = await openSafetensors(join(folder, CROSS_ATTENTION_FILE));
  const read = new Map<string, Float32Tensor>();
  for (const key of file.tensors.keys()) {
    const name = nameInUnet(key);
    const expected = name === undefined ? undefined : unet.get(name)?.shape.join(", ");
    const { shape = [] } = file.tensors.get(key) ?? {};
    if (name === undefined)
      throw new ModelError(
        `${file.path}: ${key} is not supported, expected keys such as [...]attn2.processor.to_k_custom_diffusion.weight`,
      );
    if (expected !== shape.join(", "))
      throw new ModelError(
        `${file.path}: ${key} has shape [${shape.join(", ")}], the U-Net ${expected === undefined ? "has no such layer" : `takes [${expected}]`}; is it of another model?`,
      );
    const tensor = await file.read(key);
    if (tensor.dtype !== "float32" || !allFinite(tensor.data))
      throw new ModelError(`${file.path}: ${key} holds NaN or infinity: the file is damaged`);
    read.set(name, tensor);
  }
  if (read.size === 0)
    throw new ModelError(`${file.path}: expected weights of Custom Diffusion, but the file holds no tensors`);
  return read;
}
