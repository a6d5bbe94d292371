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
  [{ image_size: 8 }, "patch_size 16 is larger than image_size 8"],
])("%o is refused", (json, message) => {
  expect(() => parseDinoConfig(json, "config.json")).toThrow(`config.json: ${message}`);
});
