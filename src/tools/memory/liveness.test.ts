import { expect, test } from "vitest";
import { Graph } from "../../graph/graph.ts";
import { add, matmul, mul, reshape, sum } from "../../graph/ops/index.ts";
import { peakOf, peakRecomputed, peakWhole, weightBytes } from "./liveness.ts";
import { CPU_DIALECT } from "../../graph/dialect.ts";

const FLOAT32 = { values: 4, weights: 4 } as const;

test("a chain holds a value and the next, and one in its place where that can be", () => {
  const graph = new Graph();
  const x = graph.input("x", [10, 10]);
  const product = matmul(x, x);
  const next = matmul(product, x); // 400 bytes of each
  expect(peakOf({ next })).toBe(800);
  expect(peakOf({ y: add(product, 1) })).toBe(400);
  expect(peakOf({ y: add(reshape(product, [100]), 1) })).toBe(400);
  expect(peakOf({ next, product })).toBe(800);
});

test("a weight in half precision takes its float32 size while it is used, where values are float32", () => {
  const graph = new Graph();
  const y = matmul(graph.input("x", [1, 10]), graph.parameter("w", [10, 10]));
  expect(peakOf({ y })).toBe(40);
  expect(peakOf({ y }, { widths: { values: 4, weights: 2 } })).toBe(440);
  // x and y in half precision, or y and what it is as an output
  expect(peakOf({ y }, { widths: { values: 2, weights: 2 } })).toBe(60);
});

test("recomputing holds what crosses the cuts and one stretch", () => {
  const graph = new Graph();
  const w = graph.parameter("w", [10, 10]);
  const base = graph.parameter("base", [10, 10]);
  let h = graph.input("x", [10, 10]);
  for (let block = 0; block < 20; block++) {
    for (let layer = 0; layer < 3; layer++) h = matmul(matmul(h, w), base);
    graph.cut();
  }
  const losses = { loss: sum(mul(h, h)) };
  const [whole, low] = [peakWhole(losses, [w], FLOAT32, CPU_DIALECT), peakRecomputed(losses, [w], FLOAT32)];
  expect(whole).toBeGreaterThan(60 * 400);
  expect(low).toBeGreaterThan(20 * 400);
  expect(low).toBeLessThan(32 * 400);
  expect(weightBytes(losses, new Set(["w"]), FLOAT32)).toBe(400);
  expect(weightBytes(losses, new Set(["w"]), { values: 4, weights: 2 })).toBe(200);
});
