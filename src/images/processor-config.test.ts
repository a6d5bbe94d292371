import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ModelError } from "../system/errors.ts";
import { loadImageProcessor } from "./processor-config.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rpo-processor-"));
});
afterAll(() => rm(folder, { recursive: true }));

const load = async (config: string) => {
  await writeFile(join(folder, "preprocessor_config.json"), config);
  return loadImageProcessor(folder, "clip");
};

describe("without preprocessor_config.json", () => {
  it("ALIGN's pictures are 346 resized, 289 cut out, x / 127.5 - 1", async () => {
    expect(await loadImageProcessor(join(folder, "none"), "align")).toEqual({
      resize: { size: { width: 346, height: 346 }, filter: "bilinear" },
      crop: { width: 289, height: 289 },
      rescale: { factor: 1 / 127.5, offset: true },
      normalize: [],
    });
  });

  it("CLIP's are the bicubic shorter edge 224, cut square", async () => {
    const { resize, crop } = await loadImageProcessor(join(folder, "none"), "clip");
    expect(resize).toEqual({ size: { shortestEdge: 224 }, filter: "bicubic" });
    expect(crop).toEqual({ width: 224, height: 224 });
  });

  it("DINO's are 224 bilinear, mean and deviation .5, not cut", async () => {
    const processor = await loadImageProcessor(join(folder, "none"), "dino");
    expect(processor).toEqual({
      resize: { size: { width: 224, height: 224 }, filter: "bilinear" },
      crop: undefined,
      rescale: { factor: 1 / 255, offset: false },
      normalize: [{ mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] }],
    });
  });
});

describe("preprocessor_config.json", () => {
  it("may hold keys that do not touch the pixels", async () => {
    const keys = {
      processor_class: "CLIPProcessor",
      do_convert_rgb: true,
      do_pad: false,
      pad_size: null,
      _valid_keys: ["a"],
    };
    expect(await load(JSON.stringify(keys))).toEqual(await loadImageProcessor(join(folder, "none"), "clip"));
  });

  const refused: [string, RegExp][] = [
    ['{"do_pad": true}', /do_pad true is not supported/],
    ['{"crop_pct": 0.9}', /crop_pct 0.9 is not supported/],
    ['{"image_std": [0.5, 0.5, 1e-60]}', /image_std make NaN or infinity of pixels/],
    ['{"rescale_factor": 1e60}', /rescale_factor, .* make NaN or infinity of pixels/],
    ['{"resample": 0}', /resample: only 1 .* supported/],
    ['{"size": {"longest_edge": 224}}', /size: expected a number, \{height, width\} or \{shortest_edge\}/],
    ['{"size": {"shortest_edge": 224, "longest_edge": 300}}', /size: .*"longest_edge"/],
    ['{"size": 0}', /size: /],
    ['{"crop_size": {"shortest_edge": 3}}', /crop_size: expected/],
    ['{"image_std": [0.5, 0, 0.5]}', /image_std: expected values other than 0/],
    ['{"image_mean": [1, 2]}', /image_mean: /],
    ['{"do_resize": "yes"}', /do_resize: .*boolean/],
    [
      '{"image_processor_type": "BitImageProcessor"}',
      /BitImageProcessor is not supported, expected .*EfficientNet, CLIP, ViT/,
    ],
    ['{"size": ', /expected JSON/],
    ["[]", /expected object/],
  ];
  for (const [config, message] of refused)
    it(`${config} is refused, naming file and entry`, async () => {
      const error = await load(config).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(ModelError);
      expect((error as ModelError).message).toMatch(message);
      expect((error as ModelError).message).toMatch(/^.*preprocessor_config\.json: /);
    });
});
