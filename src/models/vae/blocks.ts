import type { Value } from "../../graph/graph.ts";
import { add, reshape, swish, transpose } from "../../graph/ops/index.ts";
import { attention } from "../../nn/attention.ts";
import { convolution, groupNorm, linear } from "../../nn/layers.ts";
import type { Scope } from "../../nn/scope.ts";
import type { VaeConfig } from "./config.ts";

const NORM_EPSILON = 1e-6;

/** Group normalisation, then SiLU. */
export function normSwish(scope: Scope, x: Value, { normGroups }: VaeConfig): Value {
  return swish(groupNorm(scope, x, normGroups, NORM_EPSILON));
}

/** Two convolutions with a residual (ResnetBlock2D without a time embedding): [B, C, H, W] -> [B, channels, H, W]. */
export function resnet(scope: Scope, x: Value, channels: number, config: VaeConfig): Value {
  let h = convolution(scope.at("conv1"), normSwish(scope.at("norm1"), x, config), channels);
  h = convolution(scope.at("conv2"), normSwish(scope.at("norm2"), h, config), channels);
  const shortcut = x.shape[1] === channels ? x : convolution(scope.at("conv_shortcut"), x, channels, { kernel: 1 });
  return add(shortcut, h);
}

/** Where every pixel sees all others: resnet, attention of a single head, resnet (UNetMidBlock2D). */
export function midBlock(scope: Scope, x: Value, config: VaeConfig): Value {
  const channels = x.shape[1];
  let h = resnet(scope.at("resnets", 0), x, channels, config);
  if (config.midBlockAttention) h = pixelAttention(scope.at("attentions", 0), h, config);
  return resnet(scope.at("resnets", 1), h, channels, config);
}

function pixelAttention(scope: Scope, x: Value, { normGroups }: VaeConfig): Value {
  const [batch, channels, height, width] = x.shape;
  const pixels = reshape(x, [batch, channels, height * width]);
  const normed = transpose(groupNorm(scope.at("group_norm"), pixels, normGroups, NORM_EPSILON), [0, 2, 1]); // [B, HW, C]
  const project = (...name: (string | number)[]) => linear(scope.at(...name), normed, channels);
  const mixed = attention(project("to_q"), project("to_k"), project("to_v"), 1);
  const out = linear(scope.at("to_out", 0), mixed, channels);
  return add(reshape(transpose(out, [0, 2, 1]), x.shape), x);
}
