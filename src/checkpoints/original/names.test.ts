import { describe, expect, test } from "vitest";
import { FAMILIES, readNames, type Family } from "../../../tests/formats/golden.ts";
import { packagePath } from "../../system/package.ts";
import { clipVocabulary } from "../../text/clip-vocabulary.ts";
import { textParameters, unetParameters, vaeParameters } from "../graphs.ts";
import { kohyaUnetName, unetTable } from "../lora-files/layers.ts";
import { readPipelineConfig, type PipelineConfig } from "../pipeline-config.ts";
import { openClipSource } from "./text-names.ts";
import { originalUnetName } from "./unet-names.ts";
import { originalVaeName } from "./vae-names.ts";
import type { Source } from "./view.ts";

/** Names of real models: no weights are needed. The oracle is tests/golden/formats/make.py, which asks diffusers' own conversion. */

const FOLDERS: Readonly<Record<Family, string>> = { sd1: "sd1", sd2: "sd2-v", sdxl: "sdxl" };
const vocabulary = clipVocabulary("");

async function configOf(family: Family): Promise<PipelineConfig> {
  return readPipelineConfig(packagePath("models", "original", FOLDERS[family]), { fallbackVocabulary: vocabulary });
}

const asPair = ({ name, third }: Source) => [name, third ?? null];

describe.each(FAMILIES)("%s", (family) => {
  test("every weight of the U-Net has diffusers' place in the original layout, and no two the same", async () => {
    const { unet } = await configOf(family);
    const names = unetParameters(unet).map(({ name }) => name);
    const ours = Object.fromEntries(names.map((name) => [name, [originalUnetName(name, unet), null]]));
    expect(ours).toEqual((await readNames(family)).parts["unet"]);
    expect(new Set(Object.values(ours).map(([name]) => name)).size).toBe(names.length);
  });

  test("every weight of the VAE has", async () => {
    const { vae } = await configOf(family);
    const names = vaeParameters(vae).map(({ name }) => name);
    const levels = vae.blockOutChannels.length;
    const ours = Object.fromEntries(names.map((name) => [name, [originalVaeName(name, levels), null]]));
    expect(ours).toEqual((await readNames(family)).parts["vae"]);
    expect(new Set(Object.values(ours).map(([name]) => name)).size).toBe(names.length);
  });

  test("every weight of the text encoders in OpenCLIP's layout has", async () => {
    const { texts } = await configOf(family);
    const { parts } = await readNames(family);
    const openClip = texts.filter((_, i) => family === "sd2" || i === 1);
    for (const text of openClip) {
      const ours = textParameters(text, 77).map(({ name }) => [
        name,
        asPair(openClipSource(name.replace(/^text_model\./, ""))),
      ]);
      expect(Object.fromEntries(ours)).toEqual(parts[text.name]);
    }
    expect(openClip.length).toBe(family === "sd1" ? 0 : 1);
  });

  test("every layer of the U-Net has kohya's name, which is read back as that layer, as is the other spelling", async () => {
    const { unet, index } = await configOf(family);
    const model = { unet: { config: unet }, family: index.family } as never;
    const table = unetTable(model);
    const { kohya, parts } = await readNames(family);
    const layers = [...new Set([...table.dotted.values()].map(({ name }) => name))];
    expect(Object.fromEntries(layers.map((layer) => [layer, kohyaUnetName(layer, model)]))).toEqual(kohya);
    for (const layer of layers) {
      const original = parts["unet"][`${layer}.weight`][0].replace(/\.weight$/, "");
      for (const spelled of [layer, original, kohya[layer].slice("lora_unet_".length)])
        expect(table.kohya.get(spelled.replaceAll(".", "_"))?.name, spelled).toBe(layer);
      for (const spelled of [layer, original]) expect(table.dotted.get(spelled)?.name, spelled).toBe(layer);
    }
    // two spellings each, which are the same for none of the layers
    expect([table.kohya.size, table.dotted.size]).toEqual([2 * layers.length, 2 * layers.length]);
  });
});
