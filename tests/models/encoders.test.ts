import { expect, test } from "vitest";
import { Graph } from "../../src/graph/graph.ts";
import { unitLength } from "../../src/models/common/embeddings.ts";
import { alignTextFeatures } from "../../src/models/align/text.ts";
import { alignImageFeatures } from "../../src/models/align/vision.ts";
import { parseAlignConfig } from "../../src/models/align/config.ts";
import { parseClipConfig, parseClipTextConfig } from "../../src/models/clip/config.ts";
import { clipEosRows, clipPooled, clipText, clipTextFeatures } from "../../src/models/clip/text.ts";
import { clipImageFeatures, clipVision } from "../../src/models/clip/vision.ts";
import { parseDinoConfig } from "../../src/models/dino/config.ts";
import { dino } from "../../src/models/dino/dino.ts";
import { rootScope } from "../../src/nn/scope.ts";
import { compile } from "../../src/runtime/compile.ts";
import { float32, type Int32Tensor, type Tensor } from "../../src/tensor/tensor.ts";
import { expectGolden, loadGolden, type GoldenCase } from "./golden.ts";

function idsOf({ tensors }: GoldenCase): Int32Tensor {
  const ids = tensors.get("input.ids");
  if (ids?.dtype !== "int32") throw new Error("the case has no ids");
  return ids;
}

test("CLIP's text encoder with the end token of 2022 answers and differentiates as transformers does", async () => {
  const golden = await loadGolden("clip-text-2022");
  const config = parseClipTextConfig(golden.config, "text_encoder/config.json");
  const model: Parameters<typeof expectGolden>[1] = (scope, { ids, eosRows }) => {
    const { last, penultimate } = clipText(scope, config, ids);
    return { last, penultimate, pooled: clipPooled(last, eosRows) };
  };
  await expectGolden(golden, model, { eosRows: clipEosRows(idsOf(golden), config) });
});

test("CLIP places texts and pictures as transformers does", async () => {
  const golden = await loadGolden("clip");
  const { text, vision, projectionDim } = parseClipConfig(golden.config, "config.json");
  const model: Parameters<typeof expectGolden>[1] = (scope, { ids, pixels, eosRows }) => ({
    text: clipTextFeatures(scope, clipPooled(clipText(scope.at("text_model"), text, ids).last, eosRows), projectionDim),
    image: clipImageFeatures(scope, clipVision(scope.at("vision_model"), vision, pixels), projectionDim),
  });
  await expectGolden(golden, model, { eosRows: clipEosRows(idsOf(golden), text) });
});

test("ALIGN places texts and pictures as transformers does", async () => {
  const golden = await loadGolden("align");
  const config = parseAlignConfig(golden.config, "config.json");
  const model: Parameters<typeof expectGolden>[1] = (scope, { ids, mask, pixels }) => ({
    text: alignTextFeatures(scope, config, ids, mask),
    image: alignImageFeatures(scope, config.vision, pixels),
  });
  await expectGolden(golden, model, { mask: asFloats(golden.tensors.get("input.mask")) });
});

function asFloats(tensor: Tensor | undefined): Tensor {
  if (tensor === undefined) throw new Error("the case has no mask");
  return float32(Float32Array.from(tensor.data), tensor.shape);
}

test("DINO's class token is that of transformers' ViTModel, without biases on queries, keys and values too", async () => {
  const golden = await loadGolden("dino");
  const config = parseDinoConfig(golden.config, "config.json");
  await expectGolden(golden, (scope, { pixels }) => ({ image: dino(scope, config, pixels) }));
});

test("a picture of another size than the position embeddings is refused with both sizes", async () => {
  const { config } = await loadGolden("dino");
  const graph = new Graph();
  const pixels = graph.input("pixels", [1, 3, 24, 24]);
  expect(() => dino(rootScope(graph), parseDinoConfig(config, "config.json"), pixels)).toThrow(
    "16 x 16 pixels (image_size), got 24 x 24",
  );
});

test("a text with more tokens than positions is refused", async () => {
  const { config } = await loadGolden("clip-text-2022");
  const graph = new Graph();
  const ids = graph.input("ids", [1, 10], "int32");
  expect(() => clipText(rootScope(graph), parseClipTextConfig(config, "config.json"), ids)).toThrow("takes 9 tokens");
});

test("unit length: (3, 4) becomes (0.6, 0.8)", async () => {
  const graph = new Graph();
  const compiled = await compile({ y: unitLength(graph.input("x", [2, 2])) }, { threads: 1 });
  const { y } = await compiled.run({ x: float32([3, 4, 0, -2], [2, 2]) });
  [0.6, 0.8, 0, -1].forEach((value, i) => expect(y.data[i]).toBeCloseTo(value, 6));
  await compiled.release();
});
