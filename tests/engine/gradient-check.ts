import type { Dialect } from "../../src/graph/dialect.ts";
import { gradient } from "../../src/graph/gradient.ts";
import { Graph, type Value } from "../../src/graph/graph.ts";
import { mul, sum } from "../../src/graph/ops/index.ts";
import { compile } from "../../src/runtime/compile.ts";
import { Random } from "../../src/tensor/random.ts";
import { float32, type Float32Tensor, type Shape } from "../../src/tensor/tensor.ts";

export interface GradientCase {
  readonly shapes: readonly Shape[];
  readonly build: (...inputs: Value[]) => Value;
  /** Maps standard normal numbers into the function's domain. */
  readonly domain?: (x: number) => number;
}

/**
 * Compares every gradient of Σ w·y, w random, with finite differences.
 *
 * The five-point stencil has an error of h⁴ f⁽⁵⁾ / 30, so that h can be large enough for float32 outputs; their weighted sum is
 * taken in float64.
 *
 * @throws Error naming the first element that is off by more than 1e-3 of the input's largest gradient
 */
export async function checkGradient(
  { shapes, build, domain }: GradientCase,
  seed: number,
  dialect?: Dialect,
): Promise<void> {
  const rng = new Random(seed);
  const { y, weights, outputs } = withGradients({ shapes, build }, rng, dialect);
  const compiled = await compile(outputs, { threads: 1, dialect });
  const forward = await compile({ y }, { threads: 1, dialect });
  const values = valuesOf({ shapes, domain }, rng);
  const analytic = await compiled.run(feeds(values));

  for (const [i, value] of values.entries()) {
    const gradData = analytic[`d${i}`].data as Float32Array;
    const largest = gradData.reduce((max, g) => Math.max(max, Math.abs(g)), 1e-3);
    const stride = Math.max(1, Math.floor(value.data.length / 24));
    for (let element = 0; element < value.data.length; element += stride) {
      const h = 0.02 * Math.max(0.5, Math.abs(value.data[element]));
      const at = async (offset: number) =>
        dot((await forward.run(feeds(moved(values, i, element, offset)))).y.data as Float32Array, weights.data);
      const numeric = (8 * ((await at(h)) - (await at(-h))) - ((await at(2 * h)) - (await at(-2 * h)))) / (12 * h);
      if (!(Math.abs(numeric - gradData[element]) <= 1e-3 * largest))
        throw new Error(
          `input ${i}, element ${element}: finite differences give ${numeric}, the rule ${gradData[element]} (largest ${largest})`,
        );
    }
  }
  await compiled.release();
  await forward.release();
}

/** y and, as d0, d1, ..., the gradients of Σ w·y for inputs x0, x1, ... */
export function withGradients(
  { shapes, build }: Pick<GradientCase, "shapes" | "build">,
  rng: Random,
  dialect?: Dialect,
) {
  const graph = new Graph();
  const inputs = shapes.map((shape, i) => graph.input(`x${i}`, shape));
  const y = build(...inputs);
  const weights = rng.normal(y.shape);
  const grads = gradient(sum(mul(y, graph.constant(weights))), inputs, dialect);
  const outputs: Record<string, Value> = { y, ...Object.fromEntries(grads.map((grad, i) => [`d${i}`, grad])) };
  return { y, weights, outputs };
}

/** Values of the inputs, random in the function's domain. */
export function valuesOf({ shapes, domain = (x) => x }: Pick<GradientCase, "shapes" | "domain">, rng: Random) {
  return shapes.map((shape) => float32(Float32Array.from(rng.normal(shape).data, domain), shape));
}

export function feeds(values: readonly Float32Tensor[]): Record<string, Float32Tensor> {
  return Object.fromEntries(values.map((value, i) => [`x${i}`, value]));
}

function moved(values: readonly Float32Tensor[], i: number, element: number, offset: number): Float32Tensor[] {
  return values.map((value, j) => {
    if (j !== i) return value;
    const data = value.data.slice();
    data[element] += offset;
    return float32(data, value.shape);
  });
}

function dot(a: Float32Array, b: Float32Array): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i] * b[i];
  return total;
}
