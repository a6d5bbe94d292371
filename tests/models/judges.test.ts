import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { openAlign, openClip, openDino } from "../../src/checkpoints/encoders.ts";
import {
  createFeatureEncoder,
  createImageEncoder,
  type FeatureEncoder,
  type ImageEncoder,
} from "../../src/checkpoints/feature-encoder.ts";
import { readImage } from "../../src/images/read.ts";
import type { Feature } from "../../src/tensor/feature.ts";
import { openSafetensors } from "../../src/tensor/safetensors.ts";
import { unstack } from "../../src/tensor/tensor.ts";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const session = { threads: 1 };
const golden = at("../golden/judges");
const texts = JSON.parse(readFileSync(`${golden}/texts.json`, "utf8")) as string[];

const judges: Readonly<Record<string, (folder: string) => Promise<ImageEncoder & Partial<FeatureEncoder>>>> = {
  align: async (folder) => createFeatureEncoder(await openAlign(folder), session),
  clip: async (folder) => createFeatureEncoder(await openClip(folder), session),
  dino: async (folder) => createImageEncoder(await openDino(folder), session),
};

for (const [name, open] of Object.entries(judges)) {
  const folder = at(`../../models/tiny/${name}`);
  test.skipIf(!existsSync(folder))(`the embedded ${name} gives the features that transformers gives`, async () => {
    const encoder = await open(folder);
    const images = await Promise.all([0, 1, 2, 3].map((i) => readImage(`${golden}/${i}.png`)));
    await expectRows(name, "images", await encoder.images(images));
    if (encoder.texts) await expectRows(name, "texts", await encoder.texts(texts));
    await encoder.release();
  });
}

/** Each element of the unit vectors within 1e-3 of transformers'. */
async function expectRows(name: string, key: string, features: readonly Feature[]): Promise<void> {
  const tensor = await (await openSafetensors(`${golden}/${name}.safetensors`)).read(key);
  if (tensor.dtype !== "float32") throw new Error(`${name}: ${key} are no floats`);
  const rows = unstack(tensor).map(({ data }) => unit(data));
  expect(features.length).toBe(rows.length);
  rows.forEach((row, i) => {
    const worst = row.reduce((max, x, k) => Math.max(max, Math.abs(x - features[i][k])), 0);
    expect(worst, `${key} ${i}`).toBeLessThan(1e-3);
  });
}

function unit(row: Float32Array): Float32Array {
  const norm = Math.hypot(...row);
  return row.map((x) => x / norm);
}
