import { expect, test } from "vitest";
import { add } from "../graph/ops/index.ts";
import { ModelError } from "../system/errors.ts";
import { packagePath } from "../system/package.ts";
import { clipVocabulary } from "../text/clip-vocabulary.ts";
import { parseUnetConfig } from "../models/unet/config.ts";
import { textParameters, unetParameters, vaeParameters } from "./graphs.ts";
import { parametersOf } from "./part.ts";
import { readPipelineConfig } from "./pipeline-config.ts";

const held = { where: "model/unet", tensors: 100 };

test("building a model ends soon after it has more parameters than the weights have tensors", () => {
  let asked = 0;
  const endless = () =>
    parametersOf((scope) => {
      for (; ; asked++) scope.at("layers", asked).parameter("weight", [2, 2]);
    }, held);
  expect(endless).toThrow(
    new ModelError(
      "model/unet: its config.json implies more than 1300 tensors, but there are 100; are these weights of another model?",
    ),
  );
  expect(asked).toBe(1300);
});

test("weights of however many tensors do not make a graph without end", () => {
  const config = parseUnetConfig({ layers_per_block: 200, transformer_layers_per_block: 200 }, "config.json");
  expect(() => unetParameters(config, { ...held, tensors: 1e6 })).toThrow("more than 10000 tensors");
});

test("a configuration that makes no model is the configuration's fault", () => {
  const build = () => parametersOf((scope) => void add(scope.parameter("a", [2]), scope.parameter("b", [3])), held);
  expect(build).toThrow(ModelError);
  expect(build).toThrow("model/unet: its config.json describes no model that can be computed");
});

test.each(["sd1", "sd2-base", "sd2-v", "sdxl"])("%s as published is far below the limits", async (family) => {
  const folder = packagePath("models", "original", family);
  const { unet, vae, texts } = await readPipelineConfig(folder, { fallbackVocabulary: clipVocabulary("") });
  // as many tensors as there are parameters: the limit would be reached at three times as many
  for (const parametersIn of [
    (tensors: number) => unetParameters(unet, { where: "", tensors }),
    (tensors: number) => vaeParameters(vae, { where: "", tensors }),
    ...texts.map((text) => (tensors: number) => textParameters(text, text.tokenizer.length, { where: "", tensors })),
  ]) {
    const { length } = parametersIn(10_000);
    expect(length).toBeLessThan(2000);
    expect(parametersIn(length)).toHaveLength(length);
  }
});
