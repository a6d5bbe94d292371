import { expect, test } from "vitest";
import { CPU_DIALECT, inHalves } from "./dialect.ts";
import { modelOf } from "./encode.ts";
import { gradient } from "./gradient.ts";
import { Graph, nodesBehind, type Node, type Value } from "./graph.ts";
import { typesOf } from "./halves.ts";
import { add, matmul, mean, mul, normalize, reshape, softmax, sub } from "./ops/index.ts";
import { splitProgram, stagesOf } from "./segments.ts";

const dialect = inHalves(CPU_DIALECT);
const none: ReadonlySet<string> = new Set();
const typeOf = (value: Value) => typesOf(value.graph, { halves: true, parameters: none, inputs: none }).of(value);

/** Casts of a model, as FROM > TYPE. */
function castsOf(outputs: Readonly<Record<string, Value>>, halves = none) {
  const { onnx } = modelOf(outputs, { dialect, halves });
  const name = (type: unknown) => (type === 10 ? "float16" : "float32");
  return onnx.nodes.flatMap(({ type, inputs, attributes }) =>
    type === "Cast" ? [`${inputs[0]} > ${name(attributes["to"])}`] : [],
  );
}

test("products are float16, reductions and losses float32, and what is between them as the values that it reads", () => {
  const graph = new Graph();
  const [x, target] = [graph.input("x", [2, 4]), graph.input("target", [2, 4])];
  const y = matmul(x, graph.parameter("w", [4, 4]));
  const biased = add(reshape(y, [2, 4]), graph.parameter("bias", [4]));
  const [normal, probabilities] = [normalize(biased, 1e-5), softmax(biased)];
  const difference = sub(biased, target);
  expect([y, biased, normal, probabilities].map(typeOf)).toEqual(["float16", "float16", "float16", "float16"]);
  expect([difference, mul(difference, 2), mean(biased)].map(typeOf)).toEqual(["float32", "float32", "float32"]);
});

test("a product of weights alone is float32, and so is its gradient", () => {
  const graph = new Graph();
  const w = graph.parameter("w", [4, 4]);
  const squared = matmul(w, w, { transB: true });
  const [grad] = gradient(mean(squared), [w], dialect);
  expect([squared, grad].map(typeOf)).toEqual(["float32", "float32"]);
  expect(castsOf({ squared, grad })).toEqual([]);
});

test("what is made to be float32 is, with its gradients, and in stretches between cuts; what reads it is not", () => {
  const graph = new Graph();
  const [w, v] = [graph.parameter("w", [4, 4]), graph.parameter("v", [4, 4])];
  const text = graph.inSingle(() => softmax(matmul(graph.input("x", [2, 4]), w)));
  graph.cut();
  const y = matmul(text, v);
  const loss = mean(mul(y, y));
  const [first, second, , back] = stagesOf(splitProgram({ loss }, [w], dialect)).map(({ outputs }) =>
    nodesBehind(Object.values(outputs)),
  );
  const types = (nodes: readonly Node[]) => new Set(nodes.flatMap(({ outputs }) => outputs.map(typeOf)));
  expect([first, second, back].map(types)).toEqual(
    [["float32"], ["float16", "float32"], ["float32"]].map((all) => new Set(all)),
  );
  const [grad] = gradient(loss, [w], dialect);
  expect(types(nodesBehind([grad]).filter(({ isSingle }) => isSingle))).toEqual(new Set(["float32"]));
  expect(grad.source.kind === "node" && grad.source.node.isSingle).toBe(true);
});

test("a gradient is kept in the type of its value, that of a float32 weight in float32", () => {
  const graph = new Graph();
  const w = graph.parameter("w", [4, 4]);
  const y = matmul(graph.input("x", [2, 4]), w);
  const normal = normalize(y, 1e-5);
  const [dw, dy] = gradient(mean(mul(normal, normal)), [w, y], dialect);
  expect([dw, dy].map(typeOf)).toEqual(["float32", "float16"]);
});

test("a value is cast to float16 once, and to float32 for each reader", () => {
  const graph = new Graph();
  const x = graph.input("x", [2, 4]);
  const [a, b] = ["a", "b"].map((name) => matmul(x, graph.parameter(name, [4, 4])));
  const halves = new Set(["a", "b"]);
  const outputCasts = [a, b].map(({ id }) => `v${id} > float32`);
  expect(castsOf({ a, b }, halves).sort()).toEqual(["input:x > float16", ...outputCasts]);
  const y = matmul(a, b, { transB: true });
  expect(castsOf({ one: mean(y), two: mean(y, [0]) }, halves).slice(1)).toEqual([1, 2].map(() => `v${y.id} > float32`));
});
