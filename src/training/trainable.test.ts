import { expect, test } from "vitest";
import { gradient } from "../graph/gradient.ts";
import { Graph } from "../graph/graph.ts";
import { matmul, sum } from "../graph/ops/index.ts";
import { rootScope } from "../nn/scope.ts";
import { compile } from "../runtime/compile.ts";
import { Random } from "../tensor/random.ts";
import { float32, type Float32Tensor } from "../tensor/tensor.ts";
import { trainLora, trainWeights, type Trainable } from "./trainable.ts";

const rng = new Random(2);
const rates = { learningRate: 1 };
type Weights = Map<string, Float32Tensor>;

/** The displacement and its gradients at `weights`. */
async function displacementAt(trainable: Trainable, weights: Weights) {
  const graph = new Graph();
  const loss = trainable.displacement(rootScope(graph));
  const names = trainable.groups.flatMap(({ start }) => [...start.keys()]);
  const trained = names.map((name) => graph.parameter(name, weights.get(name)?.shape ?? []));
  const outputs = Object.fromEntries(gradient(loss, trained).map((value, i) => [names[i], value]));
  const parameters = new Map([...weights, ...trainable.frozen]);
  const compiled = await compile<string>({ ...outputs, loss }, { threads: 1, parameters });
  const results = await compiled.run();
  await compiled.release();
  return { value: results["loss"].data[0], gradients: results };
}

/** Central differences of every trained number. */
async function checkGradients(trainable: Trainable, weights: Weights): Promise<void> {
  const { gradients } = await displacementAt(trainable, weights);
  const h = 1e-2;
  for (const name of trainable.groups.flatMap(({ start }) => [...start.keys()])) {
    const { data } = weights.get(name) ?? float32([]);
    for (let i = 0; i < data.length; i++) {
      const x = data[i];
      data[i] = x + h;
      const above = (await displacementAt(trainable, weights)).value;
      data[i] = x - h;
      const below = (await displacementAt(trainable, weights)).value;
      data[i] = x;
      expect(gradients[name].data[i]).toBeCloseTo((above - below) / (2 * h), 1);
    }
  }
}

test("weights that train are away from their start by the squares of the differences", async () => {
  const start: Weights = new Map([
    ["x.weight", rng.split("x").normal([2, 3])],
    ["y.bias", rng.split("y").normal([2])],
  ]);
  const trainable = trainWeights(start, rates);
  expect((await displacementAt(trainable, start)).value).toBe(0);
  const now: Weights = new Map(
    [...start].map(([name, { data, shape }]) => [
      name,
      float32(
        data.map((x) => x + 0.5),
        shape,
      ),
    ]),
  );
  expect((await displacementAt(trainable, now)).value).toBeCloseTo(8 * 0.25, 5);
  await checkGradients(trainable, now);
});

test("of weights by name the others are read as they are, by both models", () => {
  const start: Weights = new Map(["a.weight", "b.weight"].map((name) => [name, rng.normal([2, 2])]));
  const trainable = trainWeights(start, rates, (name) => name.startsWith("a."));
  expect([...trainable.groups[0].start.keys()]).toEqual(["a.weight"]);
  expect([...trainable.frozen.keys()]).toEqual(["reference.a.weight"]);
  const graph = new Graph();
  const base = rootScope(graph);
  const names = (scope: typeof base) =>
    ["a", "b"].map((layer) => {
      const { source } = scope.at(layer).parameter("weight", [2, 2]);
      return source.kind === "parameter" ? source.name : "";
    });
  expect(names(trainable.policy(base))).toEqual(["a.weight", "b.weight"]);
  expect(names(trainable.start(base))).toEqual(["reference.a.weight", "b.weight"]);
});

test("a LoRA is away from its start by the squares of alpha / rank · B A", async () => {
  const config = { rank: 2, alpha: 3, targets: ["to_q"] };
  const a = rng.split("A").normal([2, 4]);
  const b = rng.split("B").normal([3, 2]);
  const weights: Weights = new Map([
    ["l.to_q.lora_A.weight", a],
    ["l.to_q.lora_B.weight", b],
  ]);
  const trainable = trainLora(config, weights, rates);
  const graph = new Graph();
  const update = matmul(graph.input("b", [3, 2]), graph.input("a", [2, 4]));
  const product = await compile({ update, total: sum(update) }, { threads: 1 });
  const { update: ba } = await product.run({ a, b });
  await product.release();
  const expected = Array.from(ba.data, Number).reduce((total, x) => total + (1.5 * x) ** 2, 0);
  expect((await displacementAt(trainable, weights)).value / expected).toBeCloseTo(1, 5);
  await checkGradients(trainable, weights);
});
