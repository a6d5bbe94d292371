import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { loadParameters } from "../../src/checkpoints/parameters.ts";
import { declaredOn } from "../../src/checkpoints/part.ts";
import { openWeights, type Weights } from "../../src/checkpoints/weights.ts";
import { gradient } from "../../src/graph/gradient.ts";
import { Graph, type Value } from "../../src/graph/graph.ts";
import { add, mul, sum } from "../../src/graph/ops/index.ts";
import { rootScope, type Scope } from "../../src/nn/scope.ts";
import { compile } from "../../src/runtime/compile.ts";
import { openSafetensors } from "../../src/tensor/safetensors.ts";
import { float32, type Float32Tensor, type Tensor } from "../../src/tensor/tensor.ts";

/** A folder of tests/golden/models, see make.py there. */
export interface GoldenCase {
  readonly config: unknown;
  readonly weights: Weights;
  /** `input.*`, `output.*`, `weight.*` and `grad.*` */
  readonly tensors: ReadonlyMap<string, Tensor>;
}

export async function loadGolden(name: string): Promise<GoldenCase> {
  const folder = fileURLToPath(new URL(`../golden/models/${name}`, import.meta.url));
  const stem = name.startsWith("vae") ? "diffusion_pytorch_model" : "model";
  return {
    config: JSON.parse(readFileSync(`${folder}/config.json`, "utf8")),
    weights: await openWeights(folder, { stem }),
    tensors: await readAll(`${folder}/case.safetensors`),
  };
}

async function readAll(path: string): Promise<Map<string, Tensor>> {
  const file = await openSafetensors(path);
  const entries = [...file.tensors.keys()].map(async (key) => [key, await file.read(key)] as const);
  return new Map(await Promise.all(entries));
}

/** PyTorch's values of a file of tests/golden, all as float32. @param path below tests/golden */
export async function openGolden(path: string) {
  const file = await openSafetensors(fileURLToPath(new URL(`../golden/${path}`, import.meta.url)));
  const read = async (key: string): Promise<Float32Tensor> => {
    const { shape, data } = await file.read(key);
    return float32(Float32Array.from(data, Number), shape);
  };
  /** Those under a prefix, by their names without it. */
  const below = async (prefix: string) => {
    const found = new Map<string, Float32Tensor>();
    for (const key of file.tensors.keys())
      if (key.startsWith(prefix)) found.set(key.slice(prefix.length), await read(key));
    return found;
  };
  return { read, below };
}

/** Several rows of inputs as one batch. */
export function together(feeds: readonly Readonly<Record<string, Float32Tensor>>[]): Record<string, Float32Tensor> {
  return Object.fromEntries(
    Object.entries(feeds[0]).map(([name, { shape }]) => [
      name,
      float32(
        feeds.flatMap((each) => [...each[name].data]),
        [shape[0] * feeds.length, ...shape.slice(1)],
      ),
    ]),
  );
}

/** What files of today's and yesterday's transformers put before a CLIPTextModel's and a ViTModel's names. */
const PREFIXES = ["text_model.", "vit."];

/** The part of a table under a prefix, without it. */
export function under(tensors: ReadonlyMap<string, Tensor>, prefix: string): Map<string, Tensor> {
  return new Map(
    [...tensors].filter(([key]) => key.startsWith(prefix)).map(([key, tensor]) => [key.slice(prefix.length), tensor]),
  );
}

/**
 * Expects the model's outputs, fed with the case's inputs, to be PyTorch's, and the gradients of their weighted sum too.
 * @param more inputs besides the case's own
 */
export async function expectGolden(
  { weights, tensors }: GoldenCase,
  model: (scope: Scope, inputs: Readonly<Record<string, Value>>) => Readonly<Record<string, Value>>,
  more: Readonly<Record<string, Tensor>> = {},
): Promise<void> {
  const feeds = { ...Object.fromEntries(under(tensors, "input.")), ...more };
  const graph = new Graph();
  const inputs = Object.fromEntries(
    Object.entries(feeds).map(([key, { shape, dtype }]) => [key, graph.input(key, shape, dtype)]),
  );
  const outputs = model(rootScope(graph), inputs);
  const cotangents = under(tensors, "weight.");
  expect(Object.keys(outputs).sort()).toEqual([...cotangents.keys()].sort());
  const loss = [...cotangents]
    .map(([key, cotangent]) => sum(mul(outputs[key], graph.constant(cotangent))))
    .reduce((a, b) => add(a, b));
  const gradNames = [...under(tensors, "grad.").keys()];
  const values = gradNames.map((key) => graph.parameters.get(key) ?? graph.inputs.get(key));
  expect(gradNames.filter((_, i) => values[i] === undefined)).toEqual([]);
  const grads = gradient(
    loss,
    values.filter((value) => value !== undefined),
  );
  const wanted: Record<string, Value> = {};
  for (const [key, value] of Object.entries(outputs)) wanted[`output.${key}`] = value;
  gradNames.forEach((key, i) => (wanted[`grad.${key}`] = grads[i]));

  const parameters = await loadParameters(weights, declaredOn(graph), { prefixes: PREFIXES });
  const compiled = await compile(wanted, { threads: 1, parameters });
  const results = await compiled.run(feeds);
  await compiled.release();
  for (const [key, result] of Object.entries(results))
    expectClose(key, result, tensors.get(key), key.startsWith("grad.") ? 1e-4 : 1e-5);
}

/** Expects equality to `tolerance` of the largest magnitude. */
function expectClose(what: string, actual: Tensor, expected: Tensor | undefined, tolerance: number): void {
  expect(actual.shape, what).toEqual(expected?.shape);
  const wanted = expected?.data ?? [];
  let largest = 0;
  let worst = 0;
  wanted.forEach((value, i) => {
    largest = Math.max(largest, Math.abs(value));
    worst = Math.max(worst, Math.abs(value - actual.data[i]) || (Number.isNaN(actual.data[i]) ? Infinity : 0));
  });
  expect(worst / largest, `${what}: error in parts of the largest value`).toBeLessThan(tolerance);
}
