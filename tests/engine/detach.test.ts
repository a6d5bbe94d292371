import { expect, test } from "vitest";
import { gradient } from "../../src/graph/gradient.ts";
import { Graph } from "../../src/graph/graph.ts";
import { detach, mul, sum } from "../../src/graph/ops/index.ts";
import { compile } from "../../src/runtime/compile.ts";
import { float32 } from "../../src/tensor/tensor.ts";

test("a value that is detached is the same, and no gradient goes through it", async () => {
  const graph = new Graph();
  const x = graph.parameter("x", [3]);
  // d/dx Σ x · [x] is x, where d/dx Σ x² would be 2x
  const loss = sum(mul(x, detach(x)));
  const [dx] = gradient(loss, [x]);
  const parameters = new Map([["x", float32([1, -2, 3])]]);
  const compiled = await compile({ loss, dx }, { threads: 1, parameters });
  const out = await compiled.run();
  await compiled.release();
  expect(out.loss.data[0]).toBe(14);
  expect([...out.dx.data]).toEqual([1, -2, 3]);
});

test("what depends on a detached value alone has a gradient of zero", async () => {
  const graph = new Graph();
  const x = graph.parameter("x", [2]);
  const loss = sum(detach(x));
  const [dx] = gradient(loss, [x]);
  const compiled = await compile({ dx }, { threads: 1, parameters: new Map([["x", float32([1, 2])]]) });
  const out = await compiled.run();
  await compiled.release();
  expect([...out.dx.data]).toEqual([0, 0]);
});
