import { expect, test } from "vitest";
import { ModelError } from "../../system/errors.ts";
import { parseUnetConfig } from "./config.ts";

test("the size of the latents is a number or a square's height and width, 64 where there is none", () => {
  expect(parseUnetConfig({ sample_size: 96 }, "c").sampleSize).toBe(96);
  expect(parseUnetConfig({ sample_size: [32, 32] }, "c").sampleSize).toBe(32);
  expect(parseUnetConfig({}, "c").sampleSize).toBe(64);
});

test.each([
  [{ sample_size: 1024 }, "sample_size is 1024: expected a whole number from 1 to 256"],
  [{ freq_shift: 1e308 }, "freq_shift is 1e+308"],
  [
    {
      block_out_channels: [2],
      down_block_types: ["DownBlock2D"],
      up_block_types: ["UpBlock2D"],
      norm_num_groups: 1,
      attention_head_dim: 1,
      freq_shift: 1,
    },
    "block_out_channels 2 is too little for sines and cosines at freq_shift 1",
  ],
])("%o is refused", (json, message) => {
  expect(() => parseUnetConfig(json, "unet/config.json")).toThrow(`unet/config.json: ${message}`);
});

test("latents that are no square are refused, not taken for one", () => {
  expect(() => parseUnetConfig({ sample_size: [64, 96] }, "unet/config.json")).toThrow(
    new ModelError("unet/config.json: sample_size is [64,96]: only squares are supported"),
  );
});
