import { describe, expect, test } from "vitest";
import { encodeGraph, feedName } from "../../src/graph/encode.ts";
import { compile } from "../../src/runtime/compile.ts";
import { openOpenvino } from "../../src/runtime/openvino/library.ts";
import { openSession } from "../../src/runtime/openvino/session.ts";
import { Random } from "../../src/tensor/random.ts";
import { zeros, type Tensor } from "../../src/tensor/tensor.ts";
import { feeds, valuesOf, withGradients, type GradientCase } from "./gradient-check.ts";
import { cases } from "./op-cases.ts";

const { api, ...why } = openOpenvino();
if ("reason" in why)
  process.stderr.write(`skipped: ${why.reason}
`);

/** How far OpenVINO's value and gradients of Σ w·y are from ONNX Runtime's, in parts of the largest element. */
async function farthest(each: GradientCase): Promise<number> {
  if (api === undefined) return Infinity;
  const rng = new Random(1);
  const { outputs } = withGradients(each, rng);
  const given = feeds(valuesOf(each, rng));
  const compiled = await compile(outputs, { threads: 1 });
  const expected = await compiled.run(given);
  await compiled.release();

  const { model: onnx, inputs } = encodeGraph(outputs);
  const nameOf = (name: string) => feedName({ kind: "input", name });
  const model = { onnx, inputs: inputs.map(nameOf), outputs: Object.keys(outputs) };
  const session = await openSession(api, model, { threads: 1 });
  const actual = Object.fromEntries(Object.entries(outputs).map(([name, { shape }]) => [name, zeros(shape)]));
  session.bind({
    ...Object.fromEntries(Object.entries(given).map(([name, tensor]) => [nameOf(name), tensor])),
    ...actual,
  });
  await session.run();
  await session.release();
  return Math.max(...Object.keys(outputs).map((name) => distance(actual[name], expected[name])));
}

function distance(actual: Tensor, expected: Tensor): number {
  const largest = Math.max(1e-3, ...Array.from(expected.data, Math.abs));
  const apart = Array.from(expected.data, (x, i) => Math.abs(x - actual.data[i]) / largest);
  return apart.some(Number.isNaN) ? Infinity : Math.max(0, ...apart);
}

describe.skipIf(api === undefined)("OpenVINO has ONNX Runtime's values and gradients", { timeout: 60_000 }, () => {
  test.each(Object.entries(cases))("of %s", async (_, list) => {
    for (const each of list) expect(await farthest(each)).toBeLessThan(2e-5);
  });
});
