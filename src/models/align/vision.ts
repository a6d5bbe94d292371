import type { Value } from "../../graph/graph.ts";
import { add, conv2d, div, mean, mul, reshape, sigmoid, sqrt, sub, type Padding } from "../../graph/ops/index.ts";
import { convolution } from "../../nn/layers.ts";
import type { Scope } from "../../nn/scope.ts";
import { activate } from "../common/activation.ts";
import type { AlignVisionConfig } from "./config.ts";
import type { VisionBlock } from "./scaling.ts";

/**
 * ALIGN's picture encoder (AlignVisionModel): the mean of the last block's channels.
 *
 * @param scope of the whole model; names begin with `vision_model.`
 * @param pixels [B, channels, H, W], of any size
 * @returns [B, projectionDim], not of unit length
 */
export function alignImageFeatures(scope: Scope, config: AlignVisionConfig, pixels: Value): Value {
  const vision = scope.at("vision_model");
  const embeddings = vision.at("embeddings");
  const stem = normConvolution(embeddings.at("convolution"), embeddings.at("batchnorm"), config, pixels, {
    filters: config.stemFilters,
    kernel: 3,
    stride: 2,
    padding: [0, 0, 1, 1],
  });
  let x = activate(config.activation, stem);
  config.blocks.forEach((block, i) => {
    scope.graph.cut();
    x = invertedResidual(vision.at("encoder", "blocks", i), config, block, x);
  });
  scope.graph.cut();
  return reshape(mean(x, [2, 3], true), [x.shape[0], x.shape[1]]);
}

/** Expansion, depthwise convolution, squeeze and excitation, projection (MBConv): [B, channels, H, W] -> [B, filters, H', W']. */
function invertedResidual(scope: Scope, config: AlignVisionConfig, block: VisionBlock, x: Value): Value {
  const { channels, filters, inner, kernel, stride } = block;
  let h = x;
  if (inner !== channels) {
    const expansion = scope.at("expansion");
    h = normConvolution(expansion.at("expand_conv"), expansion.at("expand_bn"), config, h, {
      filters: inner,
      kernel: 1,
    });
    h = activate(config.activation, h);
  }
  const depthwise = scope.at("depthwise_conv");
  h = normConvolution(depthwise.at("depthwise_conv"), depthwise.at("depthwise_norm"), config, h, {
    filters: inner,
    kernel,
    stride,
    padding: depthwisePadding(block),
    groups: inner,
  });
  h = activate(config.activation, h);
  h = mul(h, excitation(scope.at("squeeze_excite"), config, block, h));
  const projection = scope.at("projection");
  h = normConvolution(projection.at("project_conv"), projection.at("project_bn"), config, h, { filters, kernel: 1 });
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

interface NormConvolution {
  readonly filters: number;
  readonly kernel: number;
  readonly stride?: number;
  readonly padding?: Padding;
  readonly groups?: number;
}

/**
 * A convolution without bias and the batch normalisation behind it, by its running statistics, as one convolution:
 * γ (W * x - m) / √(v + ε) + β = (s W) * x + (β - s m) with s = γ / √(v + ε).
 */
function normConvolution(
  scope: Scope,
  norm: Scope,
  { batchNormEpsilon }: AlignVisionConfig,
  x: Value,
  { filters, kernel, groups = 1, ...options }: NormConvolution,
): Value {
  const statistic = (name: string) => norm.parameter(name, [filters]);
  const weight = scope.parameter("weight", [filters, x.shape[1] / groups, kernel, kernel]);
  const scale = div(statistic("weight"), sqrt(add(statistic("running_var"), batchNormEpsilon)));
  const bias = sub(statistic("bias"), mul(scale, statistic("running_mean")));
  return conv2d(x, mul(weight, reshape(scale, [filters, 1, 1, 1])), bias, { ...options, groups });
}
