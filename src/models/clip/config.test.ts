import { expect, test } from "vitest";
import { int32 } from "../../tensor/tensor.ts";
import { parseClipConfig, parseClipTextConfig, parseClipVisionConfig } from "./config.ts";
import { clipEosRows } from "./text.ts";

test("an empty config means transformers' defaults", () => {
  expect(parseClipTextConfig({}, "config.json")).toEqual({
    hiddenSize: 512,
    intermediateSize: 2048,
    layers: 12,
    heads: 8,
    activation: "quick_gelu",
    normEpsilon: 1e-5,
    vocabularySize: 49408,
    positions: 77,
    eosTokenId: 49407,
    projectionDim: 512,
  });
});

test("the parts of a config of 2022 are those under the names with _dict", () => {
  const json = {
    text_config: { hidden_size: 512 },
    text_config_dict: { hidden_size: 768 },
    vision_config_dict: null,
    vision_config: { patch_size: 16 },
  };
  const { text, vision } = parseClipConfig(json, "config.json");
  expect([text.hiddenSize, vision.patchSize]).toEqual([768, 16]);
});

test.each([
  [parseClipTextConfig, { hidden_act: "gelu_new" }, 'hidden_act is "gelu_new": this activation is not supported'],
  [parseClipTextConfig, { num_attention_heads: 7 }, "hidden_size 512 is no multiple of num_attention_heads 7"],
  [parseClipTextConfig, { use_attention_mask: true }, "use_attention_mask true is not supported"],
  [parseClipTextConfig, { model_type: "bert" }, 'model_type "bert" is not supported'],
  [parseClipTextConfig, { eos_token_id: [2, 3] }, "eos_token_id is [2,3]"],
  [parseClipTextConfig, { layer_norm_eps: 0 }, "layer_norm_eps is 0"],
  [parseClipVisionConfig, { image_size: [224, 336] }, "image_size is [224,336]: only squares are supported"],
  [parseClipVisionConfig, { image_size: 16 }, "patch_size 32 is larger than image_size 16"],
  [parseClipConfig, { vision_config: { hidden_size: -1 } }, "vision_config: hidden_size is -1"],
] as const)("%o refuses %o", (parse, json, message) => {
  expect(() => parse(json, "config.json")).toThrow(`config.json: ${message}`);
});

test("the end of a text is its first end token, or the highest id where the config says 2", () => {
  const ids = int32([5, 9, 3, 9, 2, 4, 6, 1], [2, 4]);
  expect([...clipEosRows(ids, { eosTokenId: 9 }).data]).toEqual([1, 4]); // the second text has none: its first position
  expect([...clipEosRows(ids, { eosTokenId: 2 }).data]).toEqual([1, 6]);
});
