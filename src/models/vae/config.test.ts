import { expect, test } from "vitest";
import { ModelError } from "../../system/errors.ts";
import { parseVaeConfig } from "./config.ts";

/** The published config of SD 1.5's VAE, as diffusers 0.6 wrote it. */
const SD15 = {
  _class_name: "AutoencoderKL",
  _diffusers_version: "0.6.0",
  act_fn: "silu",
  block_out_channels: [128, 256, 512, 512],
  down_block_types: Array<string>(4).fill("DownEncoderBlock2D"),
  in_channels: 3,
  latent_channels: 4,
  layers_per_block: 2,
  norm_num_groups: 32,
  out_channels: 3,
  sample_size: 512,
  up_block_types: Array<string>(4).fill("UpDecoderBlock2D"),
};

test("keys that an old config lacks take diffusers' defaults", () => {
  const { scalingFactor, useQuantConv, usePostQuantConv, midBlockAttention } = parseVaeConfig(SD15, "vae/config.json");
  expect({ scalingFactor, useQuantConv, usePostQuantConv, midBlockAttention }).toEqual({
    scalingFactor: 0.18215,
    useQuantConv: true,
    usePostQuantConv: true,
    midBlockAttention: true,
  });
});

test.each([
  [{ up_block_types: ["UpDecoderBlock2D"] }, "block_out_channels has 4 entries but up_block_types 1"],
  [{ down_block_types: Array(4).fill("AttnDownEncoderBlock2D") }, "down_block_types.0 is"],
  [{ act_fn: "gelu" }, 'act_fn "gelu" is not supported, only "silu" or "swish"'],
  [{ shift_factor: 0.0609 }, "shift_factor 0.0609 is not supported, only null or 0"],
  [{ latents_mean: [0, 0, 0, 0] }, "latents_mean [0,0,0,0] is not supported, only null"],
  [{ _class_name: "AutoencoderTiny" }, '_class_name "AutoencoderTiny" is not supported'],
  [{ norm_num_groups: 48 }, "block_out_channels 128 is no multiple of norm_num_groups 48"],
  [{ latent_channels: 4.5 }, "latent_channels is 4.5"],
  [{ layers_per_block: 0 }, "layers_per_block is 0"],
  [{ scaling_factor: "big" }, 'scaling_factor is "big"'],
])("%o is refused by file, key and value", (change, message) => {
  const parse = () => parseVaeConfig({ ...SD15, ...change }, "vae/config.json");
  expect(parse).toThrow(ModelError);
  expect(parse).toThrow(`vae/config.json: ${message}`);
});

test.each([null, [], "{}", 3])("a config that is %o and no object is refused", (json) => {
  expect(() => parseVaeConfig(json, "vae/config.json")).toThrow("vae/config.json: expected an object");
});
