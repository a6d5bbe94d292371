import type { Value } from "../../graph/graph.ts";
import { add, relu, slice, sub, upsampleNearest2x } from "../../graph/ops/index.ts";
import { convolution } from "../../nn/layers.ts";
import type { Scope } from "../../nn/scope.ts";
import { ModelError } from "../../system/errors.ts";
import { midBlock, normSwish, resnet } from "./blocks.ts";
import { pixelsPerLatent, type VaeConfig } from "./config.ts";

/** The variational autoencoder of Stable Diffusion (AutoencoderKL; Rombach et al., arXiv 2112.10752). Latents here are not yet scaled. */

/** A normal distribution of latents, [B, C, h, w] each; logvar within -30 ... 20, as diffusers clamps it. */
export interface LatentDistribution {
  readonly mean: Value;
  readonly logvar: Value;
}

/**
 * What latents a picture may have.
 * @param pixels [B, inChannels, H, W] in [-1, 1]
 * @throws ModelError unless height and width are multiples of the pixels per latent
 */
export function encodeVae(scope: Scope, config: VaeConfig, pixels: Value): LatentDistribution {
  const [, , height, width] = pixels.shape;
  const factor = pixelsPerLatent(config);
  if (height % factor !== 0 || width % factor !== 0)
    throw new ModelError(
      `the VAE takes pictures whose sides are multiples of ${factor} pixels, got ${height} x ${width}`,
    );
  const { blockOutChannels, layersPerBlock, latentChannels, useQuantConv } = config;
  const encoder = scope.at("encoder");
  let h = convolution(encoder.at("conv_in"), pixels, blockOutChannels[0]);
  blockOutChannels.forEach((channels, level) => {
    scope.graph.cut();
    const block = encoder.at("down_blocks", level);
    for (let layer = 0; layer < layersPerBlock; layer++) h = resnet(block.at("resnets", layer), h, channels, config);
    if (level < blockOutChannels.length - 1)
      h = convolution(block.at("downsamplers", 0, "conv"), h, channels, { stride: 2, padding: [0, 0, 1, 1] });
  });
  scope.graph.cut();
  h = midBlock(encoder.at("mid_block"), h, config);
  scope.graph.cut();
  h = normSwish(encoder.at("conv_norm_out"), h, config);
  h = convolution(encoder.at("conv_out"), h, 2 * latentChannels);
  if (useQuantConv) h = convolution(scope.at("quant_conv"), h, 2 * latentChannels, { kernel: 1 });
  return {
    mean: slice(h, 1, 0, latentChannels),
    logvar: clamp(slice(h, 1, latentChannels, 2 * latentChannels), -30, 20),
  };
}

/** The picture of latents: [B, latentChannels, h, w], divided by the scaling factor, -> [B, outChannels, H, W], about [-1, 1]. */
export function decodeVae(scope: Scope, config: VaeConfig, latents: Value): Value {
  const { blockOutChannels, layersPerBlock, latentChannels, outChannels, usePostQuantConv } = config;
  const decoder = scope.at("decoder");
  const deepestFirst = blockOutChannels.toReversed();
  let h = usePostQuantConv ? convolution(scope.at("post_quant_conv"), latents, latentChannels, { kernel: 1 }) : latents;
  h = convolution(decoder.at("conv_in"), h, deepestFirst[0]);
  h = midBlock(decoder.at("mid_block"), h, config);
  deepestFirst.forEach((channels, level) => {
    scope.graph.cut();
    const block = decoder.at("up_blocks", level);
    for (let layer = 0; layer <= layersPerBlock; layer++) h = resnet(block.at("resnets", layer), h, channels, config);
    if (level < deepestFirst.length - 1)
      h = convolution(block.at("upsamplers", 0, "conv"), upsampleNearest2x(h), channels);
  });
  scope.graph.cut();
  h = normSwish(decoder.at("conv_norm_out"), h, config);
  return convolution(decoder.at("conv_out"), h, outChannels);
}

/** x within low ... high, exact inside. */
function clamp(x: Value, low: number, high: number): Value {
  return sub(add(x, relu(sub(low, x))), relu(sub(x, high)));
}
