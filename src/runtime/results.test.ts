import { expect, test } from "vitest";
import { Graph } from "../graph/graph.ts";
import { add, gather } from "../graph/ops/index.ts";
import { float32, int32, zeros } from "../tensor/tensor.ts";
import { compile } from "./compile.ts";
import { canStopCopies } from "./results.ts";

test("with the binding at hand, results are computed into their buffers and copied nowhere", async () => {
  // A version with which this fails still computes rightly, through copies: look there for a way before accepting it.
  expect(await canStopCopies()).toBe(true);
});

test("results are in the caller's buffer or in a new one, and every run has its own", async () => {
  const graph = new Graph();
  const x = graph.input("x", [2]);
  const compiled = await compile({ one: add(x, 1), same: x, ids: graph.input("ids", [3], "int32") }, { threads: 1 });
  const buffer = zeros([2]);
  const first = await compiled.run({ x: float32([1, 2]), ids: int32([7, 8, 9]) }, { one: buffer });
  const second = await compiled.run({ x: float32([3, 4]), ids: int32([7, 8, 9]) });
  await compiled.release();
  expect(first.one).toBe(buffer);
  expect([...first.one.data, ...first.same.data]).toEqual([2, 3, 1, 2]);
  expect([...second.one.data, ...second.same.data]).toEqual([4, 5, 3, 4]);
  expect([...second.ids.data]).toEqual([7, 8, 9]);
});

test("a run that fails says so", async () => {
  const graph = new Graph();
  const rows = gather(graph.input("table", [2, 1]), graph.input("ids", [1], "int32"));
  const compiled = await compile({ rows }, { threads: 1 });
  await expect(compiled.run({ table: zeros([2, 1]), ids: int32([5]) })).rejects.toThrow(/indices/);
  await compiled.release();
});
