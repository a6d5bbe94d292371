import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { readConfig } from "../checkpoints/weights.ts";
import { Graph } from "../graph/graph.ts";
import { parseUnetConfig } from "../models/unet/config.ts";
import { unet } from "../models/unet/unet.ts";
import { rootScope } from "../nn/scope.ts";
import { packagePath } from "../system/package.ts";
import { estimateRuns, MODELS, REFERENCE } from "./estimates.ts";
import { flopsOf } from "./testing/flops.ts";

function unetFlops(json: Record<string, unknown>, batch: number): number {
  const config = parseUnetConfig(json, "config.json");
  const graph = new Graph();
  const { sampleSize: side, addition } = config;
  return flopsOf([
    unet(rootScope(graph), config, {
      sample: graph.input("sample", [batch, 4, side, side]),
      timestep: graph.input("timestep", [batch]),
      text: graph.input("text", [batch, 77, config.crossAttentionDim]),
      ...(addition && {
        added: {
          pooled: graph.input("pooled", [batch, addition.inputDim - 6 * addition.timeEmbedDim]),
          timeIds: graph.input("timeIds", [batch, 6]),
        },
      }),
    }),
  ]);
}

const published = (family: string) => readConfig(packagePath("models", "original", family, "unet"));
/** How unet/config.json of the checkpoint sd15-small differs. */
const SMALL = { sample_size: 32, cross_attention_dim: 256, block_out_channels: [128, 256, 512, 512] };

test("the models' operations are those of their graphs", async () => {
  const [sd15, sdxl] = MODELS;
  const small = { ...(await published("sd1")), ...SMALL };
  expect(unetFlops(await published("sd1"), 1) / 1e12).toBeCloseTo(sd15.teraflop, 3);
  expect(unetFlops(await published("sdxl"), 1) / 1e12).toBeCloseTo(sdxl.teraflop, 2);
  expect(unetFlops(small, 2) / 1e12).toBeCloseTo(REFERENCE.forwardTeraflop, 4);
});

test("the reference figures are those of the documentation", async () => {
  const [sd15, sdxl] = MODELS;
  const page = await readFile(packagePath("docs/speed.md"), "utf8");
  const runs = await readFile(packagePath("docs/run-cost.md"), "utf8");
  const ours = (work: string, checkpoint: string) =>
    Number(new RegExp(`^\\| ${work} +\\| ${checkpoint} +\\| [\\d.]+ +\\| ([\\d.]+)`, "m").exec(page)?.[1]);
  expect(ours("lora-step", "sd15-full")).toBe(sd15.stepSeconds);
  expect(Number(/^\| seconds +\| +[\d.]+ \| +([\d.]+)/m.exec(runs)?.[1])).toBe(sdxl.stepSeconds);
  expect(ours("unet-forward", "sd15-small")).toBe(REFERENCE.forwardSeconds);
});

test("at the reference's speed a step takes what it took there, and twice as long at half of it", () => {
  const [sd15, sdxl] = estimateRuns(REFERENCE.gigaflops);
  expect(sd15.secondsPerStep).toBeCloseTo(MODELS[0].stepSeconds);
  expect(sd15.secondsPerPicture).toBeCloseTo(20 * 5.53, 0); // 1.606 TFLOP a step at 290 GFLOP/s
  expect(sd15.secondsPerRun).toBeCloseTo(400 * sd15.secondsPerStep + 384 * sd15.secondsPerPicture);
  expect(estimateRuns(REFERENCE.gigaflops / 2)[1].secondsPerRun).toBeCloseTo(2 * sdxl.secondsPerRun);
});
