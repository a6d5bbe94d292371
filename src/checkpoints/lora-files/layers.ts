import type { Shape } from "../../tensor/tensor.ts";
import { textParameters, unetParameters } from "../graphs.ts";
import { originalUnetLayer } from "../original/unet-names.ts";
import type { Expected } from "../parameters.ts";
import type { StableDiffusion } from "../stable-diffusion.ts";
import { TEXT_PARTS, type LoraPart, type Spelling } from "./keys.ts";

/** A layer with a weight that a LoRA can adapt. */
export interface Layer {
  /** As the loaded weights have it, without `.weight`. */
  readonly name: string;
  /** Of its weight: [out, in], or [out, in, k, k] of a convolution. */
  readonly shape: Shape;
}

/** The layers of one part, by what each spelling calls them. */
export type LayerTable = Readonly<Record<Spelling, ReadonlyMap<string, Layer>>>;

/** The layers of all parts of a model. */
export function layerTables(
  model: Pick<StableDiffusion, "unet" | "textEncoders" | "family">,
): Map<LoraPart, LayerTable> {
  const tables = new Map<LoraPart, LayerTable>([["unet", unetTable(model)]]);
  model.textEncoders.forEach((text, i) =>
    tables.set(TEXT_PARTS[i], textTable(textParameters(text, text.tokenizer.length))),
  );
  return tables;
}

/**
 * Kohya's trainers name a U-Net's layers as diffusers does for Stable Diffusion 1.x and 2.x, and as the original code does for XL;
 * files of either kind are about for both, with underscores and (ComfyUI, OneTrainer) with dots, and no name of the one is another layer's of the other.
 */
export function unetTable({ unet: { config } }: Pick<StableDiffusion, "unet">): LayerTable {
  const layers = layersOf(unetParameters(config));
  const flat = layers.flatMap((layer): [string, Layer][] => [
    [underscored(layer.name), layer],
    [underscored(originalUnetLayer(layer.name, config)), layer],
  ]);
  const dotted = layers.flatMap((layer): [string, Layer][] => [
    [layer.name, layer],
    [originalUnetLayer(layer.name, config), layer],
  ]);
  return { dotted: new Map(dotted), kohya: new Map(flat) };
}

/** transformers' names with `text_model.`, as files have them, or without it. */
export function textTable(parameters: readonly Expected[]): LayerTable {
  const layers = layersOf(parameters);
  const dotted = layers.flatMap((layer): [string, Layer][] => {
    const plain = layer.name.replace(/^text_model\./, "");
    return plain === "text_projection"
      ? [[plain, layer]]
      : [
          [plain, layer],
          [`text_model.${plain}`, layer],
        ];
  });
  return { dotted: new Map(dotted), kohya: new Map(dotted.map(([name, layer]) => [underscored(name), layer])) };
}

/** Kohya's name of a U-Net's layer, with its prefix. */
export function kohyaUnetName(name: string, { unet, family }: Pick<StableDiffusion, "unet" | "family">): string {
  return `lora_unet_${underscored(family === "sdxl" ? originalUnetLayer(name, unet.config) : name)}`;
}

/** Kohya's name of a text encoder's layer, with its prefix. @param name as files have it: `text_model.encoder...` */
export function kohyaTextName(
  name: string,
  part: (typeof TEXT_PARTS)[number],
  { family }: Pick<StableDiffusion, "family">,
): string {
  const prefix = family === "sdxl" ? `lora_te${TEXT_PARTS.indexOf(part) + 1}_` : "lora_te_";
  return prefix + underscored(name);
}

function layersOf(parameters: readonly Expected[]): Layer[] {
  return parameters
    .filter(({ name, shape }) => name.endsWith(".weight") && shape.length >= 2 && !name.includes("embeddings."))
    .map(({ name, shape }) => ({ name: name.slice(0, -".weight".length), shape }));
}

function underscored(name: string): string {
  return name.replaceAll(".", "_");
}
