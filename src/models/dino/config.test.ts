import { expect, test } from "vitest";
import { parseDinoConfig } from "./config.ts";

test("a config without keys is a ViT-B/16 at 224 pixels", () => {
  expect(parseDinoConfig({}, "config.json")).toMatchObject({
    hiddenSize: 768,
    layers: 12,
    activation: "gelu",
    normEpsilon: 1e-12,
    qkvBias: true,
    imageSize: 224,
    patchSize: 16,
  });
});

test.each([
  [{ model_type: "dinov2" }, 'model_type "dinov2" is not supported, only "vit"'],
  [{ hidden_size: 384, num_attention_heads: 5 }, "hidden_size 384 is no multiple of num_attention_heads 5"],
  [{ qkv_bias: "yes" }, 'qkv_bias is "yes"'],
  [{ image_size: 1e6, patch_size: 1 }, "image_size is 1000000: expected a whole number from 1 to 1024"],
  [{ image_size: 1024, patch_size: 8 }, "image_size 1024 in patches of patch_size 8: expected at most 64 on a side"],
  [{ num_channels: 4 }, "num_channels is 4: expected 3, for red, green and blue"],
  [{ layer_norm_eps: 1e-300 }, "layer_norm_eps is 1e-300: expected a number from 1e-20 to 1"],
  [{ image_size: 8 }, "patch_size 16 is larger than image_size 8"],
])("%o is refused", (json, message) => {
  expect(() => parseDinoConfig(json, "config.json")).toThrow(`config.json: ${message}`);
});
