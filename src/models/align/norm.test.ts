import { expect, test } from "vitest";
import { Graph, type Value } from "../../graph/graph.ts";
import { rootScope } from "../../nn/scope.ts";
import { compile } from "../../runtime/compile.ts";
import { Random } from "../../tensor/random.ts";
import { float32, type Float32Tensor } from "../../tensor/tensor.ts";
import { parseAlignConfig } from "./config.ts";
import { byBatchStatistics } from "./norm.ts";
import { alignImageFeatures } from "./vision.ts";

const { vision } = parseAlignConfig(
  {
    projection_dim: 24,
    vision_config: {
      width_coefficient: 0.5,
      depth_coefficient: 0.5,
      in_channels: [32, 32, 48],
      out_channels: [32, 48, 48],
      kernel_sizes: [3, 5, 3],
      strides: [1, 2, 1],
      num_block_repeats: [2, 4, 2],
      expand_ratios: [1, 4, 2],
    },
  },
  "config.json",
);

function weightsOf(graph: Graph): Map<string, Float32Tensor> {
  const rng = new Random(1);
  return new Map(
    [...graph.parameters].map(([name, { shape }]) => {
      const values = rng.split(name).normal(shape);
      // norms' weights away from 0, kernels small
      const scaled = Float32Array.from(values.data, (x) =>
        name.endsWith("weight") && shape.length === 1 ? 1 + x / 5 : x / 3,
      );
      return [name, float32(scaled, shape)];
    }),
  );
}

test("a batch's own statistics, put into the file, give that batch the features that training gave it", async () => {
  const shape = [6, 3, 16, 16];
  const pixels = new Random(2).normal(shape);

  const training = new Graph();
  const statistics = new Map<string, Value>();
  const trained = alignImageFeatures(
    rootScope(training),
    vision,
    training.input("pixels", shape),
    byBatchStatistics(statistics),
  );
  const weights = weightsOf(training);
  const first = await compile<string>(
    { trained, ...Object.fromEntries(statistics) },
    { threads: 1, parameters: weights },
  );
  const { trained: expected, ...measured } = await first.run({ pixels });
  await first.release();

  const inference = new Graph();
  const features = alignImageFeatures(rootScope(inference), vision, inference.input("pixels", shape));
  const parameters = new Map([...weights, ...Object.entries(measured)]);
  expect([...inference.parameters.keys()].filter((name) => !parameters.has(name))).toEqual([]);
  const second = await compile({ features }, { threads: 1, parameters });
  const { features: actual } = await second.run({ pixels });
  await second.release();

  const wanted = [...expected.data];
  const largest = Math.max(...wanted.map(Math.abs));
  wanted.forEach((x, i) => expect(Math.abs(x - actual.data[i])).toBeLessThan(1e-4 * largest));
});

test("statistics are the mean and the biased variance of each channel over the batch", async () => {
  const graph = new Graph();
  const statistics = new Map<string, Value>();
  const scope = rootScope(graph);
  // a convolution that leaves its one channel as it is
  byBatchStatistics(statistics)(scope.at("conv"), scope.at("norm"), graph.input("x", [2, 1, 1, 2]), {
    filters: 1,
    kernel: 1,
    epsilon: 0,
  });
  const parameters = new Map(
    [["conv.weight", [1, 1, 1, 1]] as const, ["norm.weight", [1]] as const, ["norm.bias", [1]] as const].map(
      ([name, shape]) => [name, float32([1], shape)],
    ),
  );
  const compiled = await compile<string>(Object.fromEntries(statistics), { threads: 1, parameters });
  const out = await compiled.run({ x: float32([1, 2, 3, 6], [2, 1, 1, 2]) });
  await compiled.release();
  expect(out["norm.running_mean"].data[0]).toBeCloseTo(3, 6);
  expect(out["norm.running_var"].data[0]).toBeCloseTo((4 + 1 + 0 + 9) / 4, 5);
});
