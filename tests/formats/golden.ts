import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { openSafetensors } from "../../src/tensor/safetensors.ts";
import { float32, type Float32Tensor, type Tensor } from "../../src/tensor/tensor.ts";

/** The files that tests/golden/formats/make.py wrote with diffusers. */
export const golden = (name: string) => fileURLToPath(new URL(`../golden/formats/${name}`, import.meta.url));

export const FAMILIES = ["sd1", "sd2", "sdxl"] as const;
export type Family = (typeof FAMILIES)[number];

/** A model's inputs (`in.*`) and what diffusers answers. */
export async function readCase(family: Family): Promise<Map<string, Tensor>> {
  const file = await openSafetensors(golden(`${family}-case.safetensors`));
  const tensors = new Map<string, Tensor>();
  for (const name of file.tensors.keys()) tensors.set(name, await file.read(name));
  return tensors;
}

/** Names of a real model's weights: diffusers' name -> the original's, and which third of its rows, by part; kohya's names of the U-Net's layers. */
export interface Names {
  readonly parts: Readonly<Record<string, Readonly<Record<string, readonly [name: string, third: number | null]>>>>;
  readonly kohya: Readonly<Record<string, string>>;
}

export async function readNames(family: Family): Promise<Names> {
  return JSON.parse(gunzipSync(await readFile(golden(`names/${family}.json.gz`))).toString()) as Names;
}

export function numbers(tensors: ReadonlyMap<string, Tensor>, name: string): Float32Tensor {
  const tensor = tensors.get(name);
  if (tensor === undefined) throw new Error(`the case has no ${name}`);
  return tensor.dtype === "float32" ? tensor : float32([...tensor.data], tensor.shape);
}

/** The largest difference, in parts of the largest number expected. */
export function difference(actual: Float32Tensor, expected: Float32Tensor): number {
  if (actual.data.length !== expected.data.length) return Infinity;
  let worst = 0;
  let scale = 0;
  expected.data.forEach((x, i) => {
    worst = Math.max(worst, Math.abs(x - actual.data[i]));
    scale = Math.max(scale, Math.abs(x));
  });
  return worst / scale;
}
