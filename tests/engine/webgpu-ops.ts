import { gradient } from "../../src/graph/gradient.ts";
import { Graph, type Value } from "../../src/graph/graph.ts";
import { mul, sum } from "../../src/graph/ops/index.ts";
import { compile } from "../../src/runtime/compile.ts";
import type { Device } from "../../src/runtime/device.ts";
import { Random } from "../../src/tensor/random.ts";
import { float32, type Tensor } from "../../src/tensor/tensor.ts";
import type { GradientCase } from "./gradient-check.ts";
import { cases } from "./op-cases.ts";

/** A program: prints for each case of each op how far a device is from the CPU, in parts of the largest element: {"add 0": 1e-7, ...}. */

/** The value and all gradients of Σ w·y. */
async function valuesOf({ shapes, build, domain = (x) => x }: GradientCase, device: Device): Promise<Tensor[]> {
  const rng = new Random(1);
  const graph = new Graph();
  const inputs = shapes.map((shape, i) => graph.input(`x${i}`, shape));
  const y = build(...inputs);
  const grads = gradient(sum(mul(y, graph.constant(rng.normal(y.shape)))), inputs);
  const outputs: Record<string, Value> = { y, ...Object.fromEntries(grads.map((grad, i) => [`d${i}`, grad])) };
  const compiled = await compile(outputs, { threads: 1, device });
  const feeds = shapes.map((shape, i): [string, Tensor] => [
    `x${i}`,
    float32(Float32Array.from(rng.normal(shape).data, domain), shape),
  ]);
  const results = Object.values(await compiled.run(Object.fromEntries(feeds)));
  await compiled.release();
  return results;
}

function farthest(actual: Tensor, expected: Tensor): number {
  const largest = Math.max(1e-3, ...Array.from(expected.data, Math.abs));
  const apart = Array.from(expected.data, (x, i) => Math.abs(x - actual.data[i]) / largest);
  return apart.some(Number.isNaN) ? Infinity : Math.max(0, ...apart);
}

/** ONNX Runtime has no statistics of batches on WebGPU; only pretraining, on the CPU, needs them. */
const CPU_ONLY = new Set(["batchNormalize"]);

const distances: Record<string, number> = {};
for (const [name, list] of Object.entries(cases).filter(([name]) => !CPU_ONLY.has(name)))
  for (const [i, each] of list.entries()) {
    const expected = await valuesOf(each, "cpu");
    const actual = await valuesOf(each, "webgpu");
    distances[`${name} ${i}`] = Math.max(...expected.map((tensor, k) => farthest(actual[k], tensor)));
  }
process.stdout.write(JSON.stringify(distances));
