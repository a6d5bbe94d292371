import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cropSquare } from "./crop.ts";
import type { CropMode } from "./crop.ts";
import type { Image } from "./image.ts";
import { toTensor } from "./pixels.ts";
import { loadImageProcessor } from "./processor-config.ts";
import type { EncoderKind } from "./processor-config.ts";
import { preprocess } from "./processor.ts";
import { resize } from "./resize.ts";
import type { Filter } from "./resize.ts";

interface Picture {
  width: number;
  height: number;
  data: string;
}
// The format is described in make.py, beside the file.
const { resized, squares, processed } = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../tests/golden/images/cases.json"), "utf8"),
) as {
  resized: (Picture & { to: [number, number]; filter: Filter })[];
  squares: (Picture & { side: number; mode: CropMode; tensor: string })[];
  processed: (Picture & { kind: string; config: Record<string, unknown>; shape: number[] })[];
};
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "base64"));
const floats = (text: string): Float32Array => new Float32Array(bytes(text).buffer);

function noise({ width, height }: { width: number; height: number }): Image {
  let x = 1000 * width + height;
  const data = Uint8Array.from({ length: width * height * 3 }, () => {
    x = (Math.imul(1664525, x) + 1013904223) >>> 0;
    return x >>> 24;
  });
  return { width, height, data };
}

describe("resize equals Pillow", () => {
  for (const { filter, to, data, ...from } of resized)
    it(`${from.width} x ${from.height} to ${to.join(" x ")}, ${filter}`, () => {
      const [width, height] = to;
      expect(resize(noise(from), { width, height, filter })).toEqual({ width, height, data: bytes(data) });
    });
});

describe("cropSquare equals torchvision's Resize and CenterCrop", () => {
  for (const { side, mode, data, tensor, ...from } of squares)
    it(`${from.width} x ${from.height} to ${side}, crop ${mode}`, () => {
      const square = cropSquare(noise(from), side, mode);
      expect(square).toEqual({ width: side, height: side, data: bytes(data) });
      expect(toTensor(square).data).toEqual(floats(tensor));
    });
});

describe("preprocess equals transformers", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "rpo-images-"));
  });
  afterAll(() => rm(folder, { recursive: true }));
  const kinds: Record<string, EncoderKind> = { EfficientNet: "align", CLIP: "clip", ViT: "dino" };

  for (const { kind, config, shape, data, ...from } of processed)
    for (const type of [
      { image_processor_type: `${kind}ImageProcessor` },
      { feature_extractor_type: `${kind}FeatureExtractor` },
    ])
      it(`${kind} ${from.width} x ${from.height} ${JSON.stringify({ ...type, ...config })}`, async () => {
        await writeFile(join(folder, "preprocessor_config.json"), JSON.stringify({ ...type, ...config }));
        const pixels = preprocess(await loadImageProcessor(folder, kinds[kind]), noise(from));
        expect(pixels.shape).toEqual(shape);
        expect(pixels.data).toEqual(floats(data));
      });
});
