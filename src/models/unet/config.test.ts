import { expect, test } from "vitest";
import { ModelError } from "../../tensor/errors.ts";
import { parseUnetConfig } from "./config.ts";

test("the size of the latents is a number or a square's height and width, 64 where there is none", () => {
  expect(parseUnetConfig({ sample_size: 96 }, "c").sampleSize).toBe(96);
  expect(parseUnetConfig({ sample_size: [32, 32] }, "c").sampleSize).toBe(32);
  expect(parseUnetConfig({}, "c").sampleSize).toBe(64);
});

test("latents that are no square are refused, not taken for one", () => {
  expect(() => parseUnetConfig({ sample_size: [64, 96] }, "unet/config.json")).toThrow(
    new ModelError("unet/config.json: sample_size is [64,96]: only squares are supported"),
  );
});
