import type { UnetConfig } from "../../models/unet/config.ts";

/**
 * A U-Net's parameter in the layout of the original code, by its name in diffusers: `down_blocks.0.resnets.0.conv1.weight` is
 * `input_blocks.1.0.in_layers.2.weight`. The original counts all blocks of a way in one list.
 *
 * Source: openaimodel.py of CompVis/stable-diffusion; diffusers, `convert_ldm_unet_checkpoint`.
 *
 * @throws RangeError for a name that no U-Net has
 */
export function originalUnetName(name: string, { layersPerBlock, upAttention }: UnetNaming): string {
  const [, way, block, list, layer, rest] =
    /^(down_blocks|up_blocks)\.(\d+)\.(resnets|attentions|downsamplers|upsamplers)\.(\d+)\.(.+)$/.exec(name) ?? [];
  if (way === "down_blocks") {
    const level = Number(block);
    // conv_in is block 0; a level has its layers, then its downsampler
    const first = 1 + sum(layersPerBlock.slice(0, level)) + level;
    if (list === "downsamplers")
      return `input_blocks.${first + layersPerBlock[level]}.0.${rest.replace(/^conv\./, "op.")}`;
    return `input_blocks.${first + Number(layer)}.${insideOf(list, rest)}`;
  }
  if (way === "up_blocks") {
    const up = Number(block);
    const layers = layersPerBlock.toReversed().map((count) => count + 1);
    const first = sum(layers.slice(0, up));
    if (list === "upsamplers") return `output_blocks.${first + layers[up] - 1}.${upAttention[up] ? 2 : 1}.${rest}`;
    return `output_blocks.${first + Number(layer)}.${insideOf(list, rest)}`;
  }
  const [, middleList, index, inner] = /^mid_block\.(resnets|attentions)\.(\d+)\.(.+)$/.exec(name) ?? [];
  if (middleList !== undefined) {
    const place = middleList === "attentions" ? 1 : 2 * Number(index);
    return `middle_block.${place}.${insideOf(middleList, inner).slice(2)}`;
  }
  const outer = OUTER.find(([ours]) => name.startsWith(`${ours}.`));
  if (outer === undefined) throw new RangeError(`${name} is no parameter of a U-Net`);
  return outer[1] + name.slice(outer[0].length);
}

/** A layer's name, which is its weight's without `.weight`. */
export function originalUnetLayer(layer: string, config: UnetNaming): string {
  return originalUnetName(`${layer}.weight`, config).slice(0, -".weight".length);
}

/** What the names depend on. */
export type UnetNaming = Pick<UnetConfig, "layersPerBlock" | "upAttention">;

/** Within a block: resnets come first, transformers second. Transformers have the same names in both layouts. */
function insideOf(list: string, rest: string): string {
  if (list === "attentions") return `1.${rest}`;
  const [layer, kind] = rest.split(".");
  return `0.${RESNET[layer] ?? layer}.${kind}`;
}

const RESNET: Readonly<Record<string, string>> = {
  norm1: "in_layers.0",
  conv1: "in_layers.2",
  time_emb_proj: "emb_layers.1",
  norm2: "out_layers.0",
  conv2: "out_layers.3",
  conv_shortcut: "skip_connection",
};

const OUTER: readonly (readonly [diffusers: string, original: string])[] = [
  ["time_embedding.linear_1", "time_embed.0"],
  ["time_embedding.linear_2", "time_embed.2"],
  ["add_embedding.linear_1", "label_emb.0.0"],
  ["add_embedding.linear_2", "label_emb.0.2"],
  ["conv_in", "input_blocks.0.0"],
  ["conv_norm_out", "out.0"],
  ["conv_out", "out.2"],
];

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}
