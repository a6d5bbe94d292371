import type { Value } from "../../graph/graph.ts";
import { add, concat, cos, mul, reshape, sin, slice, swish, upsampleNearest2x } from "../../graph/ops/index.ts";
import { convolution, groupNorm, linear } from "../../nn/layers.ts";
import type { Scope } from "../../nn/scope.ts";
import { float32 } from "../../tensor/tensor.ts";
import { resnet, spatialTransformer } from "./blocks.ts";
import type { UnetConfig } from "./config.ts";

export interface UnetInputs {
  /** Noisy latents, [B, C, H, W]. */
  readonly sample: Value;
  /** [B], as float32. */
  readonly timestep: Value;
  /** Text embeddings, [B, L, crossAttentionDim]. */
  readonly text: Value;
  /** SDXL: the pooled text [B, P] and the sizes and crop [B, 6]. */
  readonly added?: { readonly pooled: Value; readonly timeIds: Value };
}

/**
 * UNet2DConditionModel of diffusers: Stable Diffusion's denoiser (Rombach et al., arXiv 2112.10752).
 * @returns the prediction, noise or velocity as the checkpoint was trained, [B, C, H, W]
 */
export function unet(scope: Scope, config: UnetConfig, { sample, timestep, text, added }: UnetInputs): Value {
  const { blockOutChannels, layersPerBlock, transformerLayers, heads } = config;
  const levels = blockOutChannels.length;
  const cut = () => scope.graph.cut();
  const time = timeEmbedding(scope, config, timestep, added);
  const stage = (at: Scope, layer: number, h: Value, level: number, attend: boolean): Value => {
    cut();
    const out = resnet(at.at("resnets", layer), h, time, blockOutChannels[level], config);
    if (!attend) return out;
    const options = { heads: heads[level], layers: transformerLayers[level] };
    return spatialTransformer(at.at("attentions", layer), out, text, options, config);
  };

  let h = convolution(scope.at("conv_in"), sample, blockOutChannels[0]);
  const skips = [h];
  for (let level = 0; level < levels; level++) {
    const block = scope.at("down_blocks", level);
    for (let layer = 0; layer < layersPerBlock[level]; layer++) {
      h = stage(block, layer, h, level, config.downAttention[level]);
      skips.push(h);
    }
    if (level < levels - 1) {
      h = downsample(block.at("downsamplers", 0, "conv"), h, config);
      skips.push(h);
    }
  }

  const middle = scope.at("mid_block");
  h = stage(middle, 0, h, levels - 1, true);
  h = resnet(middle.at("resnets", 1), h, time, blockOutChannels[levels - 1], config);

  for (let up = 0; up < levels; up++) {
    const block = scope.at("up_blocks", up);
    const level = levels - 1 - up;
    for (let layer = 0; layer <= layersPerBlock[level]; layer++) {
      const skip = skips.pop();
      if (skip === undefined) throw new Error("a U-Net's way up has more layers than its way down");
      h = stage(block, layer, concat([h, skip], 1), level, config.upAttention[up]);
    }
    const next = skips[skips.length - 1];
    if (up < levels - 1) h = upsample(block.at("upsamplers", 0, "conv"), h, next);
  }

  cut();
  h = swish(groupNorm(scope.at("conv_norm_out"), h, config.normGroups, config.normEpsilon));
  return convolution(scope.at("conv_out"), h, config.outChannels);
}

/** A strided convolution. Without padding of its own it gets a row and a column of zeros at the far ends, as diffusers has it. */
function downsample(scope: Scope, h: Value, { downsamplePadding }: UnetConfig): Value {
  return convolution(scope, h, h.shape[1], {
    stride: 2,
    padding: downsamplePadding === 0 ? [0, 0, 1, 1] : downsamplePadding,
  });
}

/** Twice the size, less a row or column where the way down had rounded up, then a convolution. */
function upsample(scope: Scope, h: Value, { shape: [, , height, width] }: Value): Value {
  const large = slice(slice(upsampleNearest2x(h), 2, 0, height), 3, 0, width);
  return convolution(scope, large, h.shape[1]);
}

/** The timestep's embedding [B, 4 · first channels], with SDXL's added conditions in it. */
function timeEmbedding(scope: Scope, config: UnetConfig, timestep: Value, added: UnetInputs["added"]): Value {
  const features = config.blockOutChannels[0];
  const time = mlp(scope.at("time_embedding"), sinusoids(timestep, features, config), features * 4);
  if (config.addition === undefined) return time;
  if (added === undefined) throw new Error("this U-Net needs pooled text and time ids");
  const { timeEmbedDim, inputDim } = config.addition;
  const [batch, ids] = added.timeIds.shape;
  const sizes = reshape(sinusoids(reshape(added.timeIds, [batch * ids]), timeEmbedDim, config), [
    batch,
    ids * timeEmbedDim,
  ]);
  const conditions = concat([added.pooled, sizes], 1);
  if (conditions.shape[1] !== inputDim)
    throw new Error(
      `added conditions have ${conditions.shape[1]} features, projection_class_embeddings_input_dim is ${inputDim}`,
    );
  return add(time, mlp(scope.at("add_embedding"), conditions, features * 4));
}

function mlp(scope: Scope, x: Value, features: number): Value {
  return linear(scope.at("linear_2"), swish(linear(scope.at("linear_1"), x, features)), features);
}

/** Sine and cosine of the numbers at geometrically spaced frequencies (Vaswani et al., arXiv 1706.03762): [N] -> [N, features]. */
function sinusoids(numbers: Value, features: number, { flipSinToCos, frequencyShift }: UnetConfig): Value {
  const half = Math.floor(features / 2);
  const frequencies = Array.from({ length: half }, (_, i) =>
    Math.exp((-Math.log(10_000) * i) / (half - frequencyShift)),
  );
  const angles = mul(reshape(numbers, [numbers.shape[0], 1]), numbers.graph.constant(float32(frequencies, [1, half])));
  return concat(flipSinToCos ? [cos(angles), sin(angles)] : [sin(angles), cos(angles)], 1);
}
