import { expect, test } from "vitest";
import { parseAlignConfig } from "./config.ts";

test("the published model is an EfficientNet-B7 of 55 blocks, with the channels of its paper's code", () => {
  const { vision, projectionDim } = parseAlignConfig({ model_type: "align" }, "config.json");
  expect([vision.stemFilters, vision.blocks.length, projectionDim]).toEqual([64, 55, 640]);
  const stages = vision.blocks.filter((block) => !block.residual);
  expect(stages.map((block) => block.filters)).toEqual([32, 48, 80, 160, 224, 384, 640]);
  expect(vision.blocks[0]).toMatchObject({ channels: 64, inner: 64, squeezed: 16, stride: 1 });
  expect(vision.blocks[54]).toMatchObject({ channels: 640, inner: 3840, squeezed: 160, kernel: 3, residual: true });
});

test("rounding never takes more than a tenth of the channels away", () => {
  // 20 · 1.175 = 23.5 rounds to 16 of a divisor of 16, which is below 21.15
  const vision_config = { width_coefficient: 1.175, depth_divisor: 16, out_channels: [16, 24, 40, 80, 112, 192, 20] };
  expect(parseAlignConfig({ projection_dim: 32, vision_config }, "config.json").projectionDim).toBe(32);
});

test.each([
  [{ projection_dim: 512 }, "projection_dim 512 gives texts other features than pictures have"],
  [{ vision_config: { pooling_type: "max" } }, 'vision_config: pooling_type "max" is not supported, only "mean"'],
  [{ vision_config: { hidden_act: "mish" } }, 'vision_config: hidden_act is "mish": this activation is not supported'],
  [{ vision_config: { strides: [1, 2] } }, "vision_config: in_channels has 7 entries but strides 2"],
  [{ vision_config: { strides: [1, 3, 2, 2, 1, 2, 1] } }, "vision_config: strides.1 is 3"],
  [
    { vision_config: { in_channels: [32, 16, 24, 48, 80, 112, 192] } },
    "vision_config: block 18 takes 96 channels (in_channels) but gets 80 (out_channels)",
  ],
  [{ text_config: { num_attention_heads: 5 } }, "text_config: hidden_size 768 is no multiple of num_attention_heads 5"],
  [{ text_config: { position_embedding_type: "relative_key" } }, "text_config: position_embedding_type"],
  [{ text_config: 3 }, "text_config: expected an object"],
])("%o is refused", (json, message) => {
  expect(() => parseAlignConfig(json, "config.json")).toThrow(`config.json: ${message}`);
});
