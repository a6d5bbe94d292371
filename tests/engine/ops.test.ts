import { afterEach, describe, expect, test } from "vitest";
import { WEBGPU_DIALECT } from "../../src/graph/dialect.ts";
import * as o from "../../src/graph/ops/index.ts";
import { ops } from "../../src/graph/ops/index.ts";
import { checkGradient } from "./gradient-check.ts";
import { cases } from "./op-cases.ts";

describe("an op's gradient equals finite differences", () => {
  for (const [name, list] of Object.entries(cases))
    for (const [i, each] of list.entries())
      for (const seed of [1, 2])
        test(`${name}, case ${i}: ${each.shapes.map((shape) => `[${shape.join(", ")}]`).join(" ")}, seed ${seed}`, () =>
          checkGradient(each, seed));
});

describe("so it does in WebGPU's dialect, which the CPU understands", () => {
  for (const name of ["matmul", "gemm", "fusedAttention", "conv2d", "gather"] as const)
    for (const [i, each] of cases[name].entries())
      test(`${name}, case ${i}`, () => checkGradient(each, 1, WEBGPU_DIALECT));
});

test("a value used twice collects both gradients", () =>
  checkGradient(
    { shapes: [[2, 3]], build: (x) => o.add(o.mul(x, o.tanh(x)), o.sum(o.mul(o.exp(x), x), [1], true)) },
    1,
  ));

describe("the checker itself", () => {
  const { gradient } = ops.tanh;
  afterEach(() => {
    ops.tanh.gradient = gradient;
  });
  test("a wrong rule makes it fail", async () => {
    ops.tanh.gradient = ({ grad, outputs: [y] }) => [o.mul(grad, o.sub(1, o.mul(1.01, o.mul(y, y))))];
    await expect(checkGradient({ shapes: [[2, 3]], build: o.tanh }, 1)).rejects.toThrow("finite differences");
  });
  test("a missing term makes it fail", async () => {
    ops.tanh.gradient = ({ grad }) => [grad];
    await expect(checkGradient({ shapes: [[2, 3]], build: o.tanh }, 1)).rejects.toThrow("finite differences");
  });
});
