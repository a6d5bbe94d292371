import { unetGraph } from "../../checkpoints/graphs.ts";
import { readConfig } from "../../checkpoints/weights.ts";
import { CUDA_DIALECT } from "../../graph/dialect.ts";
import { objective } from "../../methods/rpo/objective.ts";
import { parseUnetConfig } from "../../models/unet/config.ts";
import { ATTENTION_TARGETS, initialLora } from "../../nn/lora.ts";
import { packagePath } from "../../system/package.ts";
import { Random } from "../../tensor/random.ts";
import { buildObjective } from "../../training/objective-scope.ts";
import { trainLora } from "../../training/trainable.ts";
import { peakRecomputed, peakWhole, weightBytes, type Widths } from "./liveness.ts";

/**
 * `node dist/tools/memory/main.js`: the memory of an RPO step with a LoRA of rank 16, by the liveness of its values, in 10⁹ bytes: weights
 * and peak of values. What a device's context, its workspaces and its allocator's gaps take is not in it, 1 or 2 GB.
 */

const CASES = [
  ["SD 1.5, 512 px", "sd1", 64],
  ["SDXL, 1024 px", "sdxl", 128],
] as const;

const PRECISIONS: readonly (readonly [name: string, widths: Widths])[] = [
  ["float32", { weights: 4, values: 4 }],
  ["float16", { weights: 2, values: 4 }],
  ["mixed-float16", { weights: 2, values: 2 }],
];

for (const [title, family, side] of CASES) {
  const json = await readConfig(packagePath("models", "original", family, "unet"));
  const config = parseUnetConfig({ ...json, sample_size: side }, "unet/config.json");
  const lora = { rank: 16, alpha: 16, targets: ATTENTION_TARGETS };
  const start = initialLora(unetGraph(config, lora), new Random(0));
  const losses = buildObjective(
    (scope) => objective(scope, { condition: "prompt", beta: 1, preference: true }),
    config,
    trainLora(lora, start, { learningRate: 1e-4 }),
    { batch: 1, latentSize: [side, side], textLength: 77 },
  );
  const { parameters } = losses.loss.graph;
  const trained = [...start.keys()].flatMap((name) => parameters.get(name) ?? []);
  for (const [name, widths] of PRECISIONS) {
    const weights = weightBytes(losses, new Set(start.keys()), widths);
    const peaks = [peakWhole(losses, trained, widths, CUDA_DIALECT), peakRecomputed(losses, trained, widths)];
    const [whole, low] = peaks.map((peak) => `${gigabytes(peak)}, with the weights ${gigabytes(peak + weights)}`);
    process.stdout.write(`${title}, ${name}: weights ${gigabytes(weights)}; values ${whole}; --memory low ${low}\n`);
  }
}

function gigabytes(bytes: number): string {
  return (bytes / 1e9).toFixed(2);
}
