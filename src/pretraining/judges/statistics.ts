import { Graph, type Value } from "../../graph/graph.ts";
import { byBatchStatistics } from "../../models/align/norm.ts";
import { alignImageFeatures } from "../../models/align/vision.ts";
import { rootScope } from "../../nn/scope.ts";
import { compile } from "../../runtime/compile.ts";
import type { SessionOptions } from "../../runtime/session-options.ts";
import { withResources } from "../../runtime/resources.ts";
import { zeros, type Float32Tensor } from "../../tensor/tensor.ts";
import { FRAME } from "../../world/compose.ts";
import type { Weights } from "../loop.ts";
import type { PictureSet } from "../pictures.ts";
import { alignConfig } from "./align.ts";
import { pixelBatch } from "../pixels.ts";

export interface StatisticsOptions {
  readonly batch?: number;
  readonly batches?: number;
}

/**
 * The `running_mean` and `running_var` of every norm, measured with the very weights that are kept (Wu and Johnson, "Rethinking
 * Batch in BatchNorm", arXiv 2105.07576, section 3): a running average during training would belong to weights that are gone.
 *
 * @returns by the checkpoint's names; over all pictures of all batches
 */
export async function measureStatistics(
  weights: Weights,
  pictures: PictureSet,
  session: SessionOptions,
  { batch = 256, batches = 16 }: StatisticsOptions = {},
): Promise<Map<string, Float32Tensor>> {
  const graph = new Graph();
  const pixels = graph.input("pixels", [batch, 3, FRAME, FRAME]);
  const outputs = new Map<string, Value>();
  alignImageFeatures(rootScope(graph), alignConfig(1).vision, pixels, byBatchStatistics(outputs));
  const moments = new Map([...outputs].map(([name, { shape }]) => [name, zeros(shape)]));
  await withResources(async (own) => {
    const compiled = own(await compile(Object.fromEntries(outputs), { ...session, parameters: weights }));
    // per batch: E[x] and E[x²] = var + mean²
    for (let i = 0; i < batches; i++) {
      // spread evenly over the set
      const number = (k: number) => Math.floor(((i * batch + k) * pictures.count) / (batches * batch));
      const chosen = Array.from({ length: batch }, (_, k) => pictures.pixels(number(k)));
      const results = await compiled.run({ pixels: pixelBatch(chosen) });
      for (const [name, sum] of moments) {
        const value = results[name].data;
        const mean = name.endsWith("running_var") ? results[meanOf(name)].data : undefined;
        for (let c = 0; c < value.length; c++)
          sum.data[c] += (value[c] + (mean === undefined ? 0 : mean[c] ** 2)) / batches;
      }
    }
  });
  for (const [name, { data }] of moments) {
    const mean = name.endsWith("running_var") ? moments.get(meanOf(name)) : undefined;
    if (mean !== undefined) for (let c = 0; c < data.length; c++) data[c] -= mean.data[c] ** 2;
  }
  return moments;
}

function meanOf(variance: string): string {
  return variance.replace(/running_var$/, "running_mean");
}
