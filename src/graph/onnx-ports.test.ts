import { expect, test } from "vitest";
import { zeros } from "../tensor/tensor.ts";
import { encodeGraph } from "./encode.ts";
import { Graph } from "./graph.ts";
import { portNames } from "./onnx-ports.ts";
import { add, mul } from "./ops/index.ts";

test("what a model takes and gives is read in the model's order, without the weights that it has", () => {
  const graph = new Graph();
  const [a, b] = ["a", "b"].map((name) => graph.input(name, [2]));
  const y = add(mul(b, graph.parameter("w", [2])), mul(a, graph.parameter("stored", [2])));
  const { model } = encodeGraph(
    { y, again: y, same: a, zwölf: add(y, 1) },
    { initializers: new Map([["stored", zeros([2])]]) },
  );
  expect(portNames(model)).toEqual({
    inputs: ["input:b", "input:a", "parameter:w"],
    outputs: ["y", "again", "same", "zwölf"],
  });
});

test("a model that is cut off is an error", () => {
  const graph = new Graph();
  const { model } = encodeGraph({ y: add(graph.input("x", [1]), 1) });
  expect(() => portNames(model.subarray(0, model.length - 3))).toThrow("it ends within a field");
});
