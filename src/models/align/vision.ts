import type { Value } from "../../graph/graph.ts";
import { add, mean, mul, reshape, sigmoid, type Padding } from "../../graph/ops/index.ts";
import { convolution } from "../../nn/layers.ts";
import type { Scope } from "../../nn/scope.ts";
import { activate } from "../common/activation.ts";
import type { AlignVisionConfig } from "./config.ts";
import { byRunningStatistics, type NormConvolution } from "./norm.ts";
import type { VisionBlock } from "./scaling.ts";

/**
 * ALIGN's picture encoder (AlignVisionModel): the mean of the last block's channels.
 *
 * @param scope of the whole model; names begin with `vision_model.`
 * @param pixels [B, channels, H, W], of any size
 * @param normConvolution by which statistics batches are normalised: the checkpoint's own, unless it trains
 * @returns [B, projectionDim], not of unit length
 */
export function alignImageFeatures(
  scope: Scope,
  config: AlignVisionConfig,
  pixels: Value,
  normConvolution: NormConvolution = byRunningStatistics,
): Value {
  const { activation, batchNormEpsilon: epsilon } = config;
  const vision = scope.at("vision_model");
  const embeddings = vision.at("embeddings");
  const stem = normConvolution(embeddings.at("convolution"), embeddings.at("batchnorm"), pixels, {
    filters: config.stemFilters,
    kernel: 3,
    stride: 2,
    padding: [0, 0, 1, 1],
    epsilon,
  });
  let x = activate(activation, stem);
  config.blocks.forEach((block, i) => {
    scope.graph.cut();
    x = invertedResidual(vision.at("encoder", "blocks", i), config, block, x, normConvolution);
  });
  scope.graph.cut();
  return reshape(mean(x, [2, 3], true), [x.shape[0], x.shape[1]]);
}

/** Expansion, depthwise convolution, squeeze and excitation, projection (MBConv): [B, channels, H, W] -> [B, filters, H', W']. */
function invertedResidual(
  scope: Scope,
  config: AlignVisionConfig,
  block: VisionBlock,
  x: Value,
  normConvolution: NormConvolution,
): Value {
  const { activation, batchNormEpsilon: epsilon } = config;
  const { channels, filters, inner, kernel, stride } = block;
  let h = x;
  if (inner !== channels) {
    const expansion = scope.at("expansion");
    h = normConvolution(expansion.at("expand_conv"), expansion.at("expand_bn"), h, {
      filters: inner,
      kernel: 1,
      epsilon,
    });
    h = activate(activation, h);
  }
  const depthwise = scope.at("depthwise_conv");
  h = normConvolution(depthwise.at("depthwise_conv"), depthwise.at("depthwise_norm"), h, {
    filters: inner,
    kernel,
    stride,
    padding: depthwisePadding(block),
    groups: inner,
    epsilon,
  });
  h = activate(activation, h);
  h = mul(h, excitation(scope.at("squeeze_excite"), config, block, h));
  const projection = scope.at("projection");
  h = normConvolution(projection.at("project_conv"), projection.at("project_bn"), h, { filters, kernel: 1, epsilon });
  return block.residual ? add(h, x) : h;
}

/** A weight for every channel from the means of all (Hu et al., arXiv 1709.01507): [B, C, H, W] -> [B, C, 1, 1]. */
function excitation(scope: Scope, config: AlignVisionConfig, { inner, squeezed }: VisionBlock, x: Value): Value {
  const means = mean(x, [2, 3], true);
  const reduced = activate(config.activation, convolution(scope.at("reduce"), means, squeezed, { kernel: 1 }));
  return sigmoid(convolution(scope.at("expand"), reduced, inner, { kernel: 1 }));
}

/** "same" with stride 1; with stride 2 the zeros that transformers puts around a picture of even or odd size. */
function depthwisePadding({ kernel, stride, shiftedPadding }: VisionBlock): Padding {
  if (stride === 1) {
    const before = Math.floor((kernel - 1) / 2);
    const after = kernel - 1 - before;
    return [before, before, after, after];
  }
  const half = Math.floor(kernel / 2);
  const before = shiftedPadding ? half - 1 : half;
  return [before, before, half, half];
}
