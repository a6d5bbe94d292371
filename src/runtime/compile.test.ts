import { expect, test } from "vitest";
import { Graph } from "../graph/graph.ts";
import { add, gather, matmul, mul } from "../graph/ops/index.ts";
import { Random } from "../tensor/random.ts";
import { toFloat32, toHalf } from "../tensor/half.ts";
import { float32, int32, zeros } from "../tensor/tensor.ts";
import { Stopped } from "./backends/backend.ts";
import { compile } from "./compile.ts";

const session = { threads: 1 };

test("results are in the caller's buffer or in a new one, and every run has its own", async () => {
  const graph = new Graph();
  const x = graph.input("x", [2]);
  const compiled = await compile({ one: add(x, 1), same: x, ids: graph.input("ids", [3], "int32") }, session);
  const buffer = zeros([2]);
  const first = await compiled.run({ x: float32([1, 2]), ids: int32([7, 8, 9]) }, { one: buffer });
  const second = await compiled.run({ x: float32([3, 4]), ids: int32([7, 8, 9]) });
  await compiled.release();
  expect(first.one).toBe(buffer);
  expect([...first.one.data, ...first.same.data]).toEqual([2, 3, 1, 2]);
  expect([...second.one.data, ...second.same.data]).toEqual([4, 5, 3, 4]);
  expect([...second.ids.data]).toEqual([7, 8, 9]);
});

test("runs that are asked for at once are made one after another, each with its own feeds", async () => {
  const graph = new Graph();
  const compiled = await compile({ y: mul(graph.input("x", [1]), 2) }, session);
  const results = await Promise.all([1, 2, 3].map((x) => compiled.run({ x: float32([x]) })));
  await compiled.release();
  expect(results.map(({ y }) => y.data[0])).toEqual([2, 4, 6]);
});

test("weights in half precision count as the float32 numbers that they are, to the bit", async () => {
  const graph = new Graph();
  const w = graph.parameter("w", [32, 32]);
  const y = matmul(matmul(graph.input("x", [4, 32]), w), w, { transB: true });
  const rng = new Random(0);
  const [x, half] = [rng.normal([4, 32]), toHalf(rng.normal([32, 32]))];
  const results = [];
  for (const tensor of [half, toFloat32(half)]) {
    const compiled = await compile({ y, w }, { ...session, parameters: new Map([["w", tensor]]) });
    results.push(await compiled.run({ x }));
    await compiled.release();
  }
  expect(results[0]).toEqual(results[1]);
  expect(results[0].w).toEqual(toFloat32(half));
});

test("a weight of another shape is refused, in half precision too", async () => {
  const graph = new Graph();
  const y = mul(graph.parameter("w", [2]), 2);
  await expect(compile({ y }, { ...session, parameters: new Map([["w", toHalf(zeros([3]))]]) })).rejects.toThrow(
    "parameter w: expected float32[2], got float16[3]",
  );
});

test("a run that fails says so", async () => {
  const graph = new Graph();
  const rows = gather(graph.input("table", [2, 1]), graph.input("ids", [1], "int32"));
  const compiled = await compile({ rows }, session);
  await expect(compiled.run({ table: zeros([2, 1]), ids: int32([5]) })).rejects.toThrow(/indices/);
  await expect(compiled.run({ table: zeros([2, 1]) })).rejects.toThrow("input ids was not fed");
  await compiled.release();
});

test("a run that is to stop says so", async () => {
  const graph = new Graph();
  const compiled = await compile({ y: mul(graph.input("x", [1]), 2) }, session);
  await expect(compiled.run({ x: float32([1]) }, {}, { aborted: true })).rejects.toThrow(Stopped);
  await compiled.release();
});
