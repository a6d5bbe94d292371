import { describe, expect, test } from "vitest";
import { compile } from "../../src/runtime/compile.ts";
import type { Device } from "../../src/runtime/device.ts";
import { isOpenvinoHere } from "../../src/runtime/openvino/testing/installed.ts";
import { Random } from "../../src/tensor/random.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { feeds, valuesOf, withGradients, type GradientCase } from "./gradient-check.ts";
import { cases } from "./op-cases.ts";

/** How far OpenVINO's value and gradients of Σ w·y are from ONNX Runtime's, in parts of the largest element. */
async function farthest(each: GradientCase): Promise<number> {
  const [expected, actual] = [await resultsOf(each, "cpu"), await resultsOf(each, "openvino")];
  return Math.max(...Object.keys(expected).map((name) => distance(actual[name], expected[name])));
}

async function resultsOf(each: GradientCase, device: Device) {
  const rng = new Random(1);
  const { outputs } = withGradients(each, rng);
  const compiled = await compile(outputs, { threads: 1, device });
  const results = await compiled.run(feeds(valuesOf(each, rng)));
  await compiled.release();
  return results;
}

function distance(actual: Tensor, expected: Tensor): number {
  const largest = Math.max(1e-3, ...Array.from(expected.data, Math.abs));
  const apart = Array.from(expected.data, (x, i) => Math.abs(x - actual.data[i]) / largest);
  return apart.some(Number.isNaN) ? Infinity : Math.max(0, ...apart);
}

describe.skipIf(!isOpenvinoHere())("OpenVINO has ONNX Runtime's values and gradients", { timeout: 60_000 }, () => {
  test.each(Object.entries(cases))("of %s", async (_, list) => {
    for (const each of list) expect(await farthest(each)).toBeLessThan(2e-5);
  });
});
