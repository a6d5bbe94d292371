import { expect, test } from "vitest";
import { Graph } from "../../src/graph/graph.ts";
import { parseVaeConfig } from "../../src/models/vae/config.ts";
import { decodeVae, encodeVae } from "../../src/models/vae/vae.ts";
import { rootScope } from "../../src/nn/scope.ts";
import { ModelError } from "../../src/system/errors.ts";
import { expectGolden, loadGolden } from "./golden.ts";

for (const name of ["vae", "vae-plain"])
  test(`${name} encodes, decodes and differentiates as diffusers does`, async () => {
    const golden = await loadGolden(name);
    const config = parseVaeConfig(golden.config, "vae/config.json");
    await expectGolden(golden, (scope, { pixels, latents }) => ({
      ...encodeVae(scope, config, pixels),
      decoded: decodeVae(scope, config, latents),
    }));
  });

test("log variances reach both ends of the clamp in the plain case", async () => {
  const { tensors } = await loadGolden("vae-plain");
  const logvar = tensors.get("output.logvar")?.data ?? [];
  expect([Math.min(...logvar), Math.max(...logvar)]).toEqual([-30, 20]);
});

test("the VAE's parameters are those of the checkpoint, all of them", async () => {
  const { config, weights } = await loadGolden("vae");
  const graph = new Graph();
  const parsed = parseVaeConfig(config, "vae/config.json");
  encodeVae(rootScope(graph), parsed, graph.input("pixels", [1, 3, 8, 8]));
  decodeVae(rootScope(graph), parsed, graph.input("latents", [1, 4, 4, 4]));
  expect([...graph.parameters.keys()].sort()).toEqual([...weights.names].sort());
});

test("a picture whose sides do not fit the latents is refused", () => {
  const graph = new Graph();
  const config = parseVaeConfig(
    {
      block_out_channels: [32, 32],
      down_block_types: Array(2).fill("DownEncoderBlock2D"),
      up_block_types: Array(2).fill("UpDecoderBlock2D"),
    },
    "vae/config.json",
  );
  expect(() => encodeVae(rootScope(graph), config, graph.input("pixels", [1, 3, 8, 9]))).toThrow(ModelError);
});
