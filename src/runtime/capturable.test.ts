import { expect, test } from "vitest";
import { Graph, type Value } from "../graph/graph.ts";
import { fusedAttention, mul, reshape } from "../graph/ops/index.ts";
import { capturable } from "./capturable.ts";

test("outputs of a captured graph are computed in the shape before a reshape", () => {
  const y = mul(new Graph().input("x", [4]), 2);
  expect(capturable({ y: reshape(reshape(y, [4, 1]), [2, 2]) })).toEqual({ y });
});

test("a graph whose outputs are copies, of an input or of each other, is not captured", () => {
  const x = new Graph().input("x", [4]);
  const y = mul(x, 2);
  const copies: Record<string, Value>[] = [
    { x },
    { y, x: reshape(x, [2, 2]) },
    { y, z: y },
    { y, z: reshape(y, [2, 2]) },
  ];
  for (const outputs of copies) expect(capturable(outputs)).toBeUndefined();
});

test.each([
  [8, true],
  [40, true],
  [4, false],
  [6, false],
])("attention with heads of %i is captured: %s", (size, isCaptured) => {
  const graph = new Graph();
  const [q, k, v] = ["q", "k", "v"].map((name) => graph.input(name, [1, 16, 2 * size]));
  const outputs = { y: mul(fusedAttention(q, k, v, 2), 2) };
  expect(capturable(outputs) !== undefined).toBe(isCaptured);
});
