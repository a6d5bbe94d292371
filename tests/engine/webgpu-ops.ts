import { compile } from "../../src/runtime/compile.ts";
import type { Device } from "../../src/runtime/device.ts";
import { BACKENDS } from "../../src/runtime/backends/index.ts";
import { Random } from "../../src/tensor/random.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { feeds, valuesOf, withGradients, type GradientCase } from "./gradient-check.ts";
import { cases, CPU_ONLY } from "./op-cases.ts";

/** A program: prints for each case of each op how far a device is from the CPU, in parts of the largest element: {"add 0": 1e-7, ...}. */

/** The value and all gradients of Σ w·y. */
async function resultsOf(each: GradientCase, device: Device): Promise<Tensor[]> {
  const rng = new Random(1);
  const compiled = await compile(withGradients(each, rng, BACKENDS[device].dialect).outputs, { threads: 1, device });
  const results = Object.values(await compiled.run(feeds(valuesOf(each, rng))));
  await compiled.release();
  return results;
}

function farthest(actual: Tensor, expected: Tensor): number {
  const largest = Math.max(1e-3, ...Array.from(expected.data, Math.abs));
  const apart = Array.from(expected.data, (x, i) => Math.abs(x - actual.data[i]) / largest);
  return apart.some(Number.isNaN) ? Infinity : Math.max(0, ...apart);
}

const distances: Record<string, number> = {};
for (const [name, list] of Object.entries(cases).filter(([name]) => !CPU_ONLY.has(name)))
  for (const [i, each] of list.entries()) {
    const expected = await resultsOf(each, "cpu");
    const actual = await resultsOf(each, "webgpu");
    distances[`${name} ${i}`] = Math.max(...expected.map((tensor, k) => farthest(actual[k], tensor)));
  }
process.stdout.write(JSON.stringify(distances));
