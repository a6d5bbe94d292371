import { expect, test } from "vitest";
import { Random } from "../tensor/random.ts";
import { createAdamW } from "./adamw.ts";
import { createOptimizer } from "./optimizer.ts";

const session = { threads: 1 };
const rng = new Random(1);
const start = { a: rng.split("a").normal([30]), b: rng.split("b").normal([20]) };
const gradient = { a: rng.split("ga").normal([30]), b: rng.split("gb").normal([20]) };

test("every group trains as if it were alone, with its own rate, decay and clipping", async () => {
  const options = {
    a: { learningRate: 0.01 },
    b: { learningRate: 0.5, weightDecay: 0.2, maxGradNorm: 0.1 },
  };
  const groups = (["a", "b"] as const).map((name) => ({
    name,
    start: new Map([[name, start[name]]]),
    ...options[name],
  }));
  const optimizer = await createOptimizer(groups, session);
  const alone = { a: await createAdamW(groups[0].start, session), b: await createAdamW(groups[1].start, session) };
  for (const step of [1, 2]) {
    const norms: number[] = [];
    for (const name of ["a", "b"] as const) {
      optimizer.gradients.get(name)?.data.set(gradient[name].data);
      alone[name].gradients.get(name)?.data.set(gradient[name].data);
      norms.push(await alone[name].step(options[name]));
    }
    expect(await optimizer.step()).toBeCloseTo(Math.hypot(...norms), 6);
    expect(optimizer.stepCount).toBe(step);
  }
  for (const name of ["a", "b"] as const) {
    expect(optimizer.parameters.get(name)?.data).toEqual(alone[name].parameters.get(name)?.data);
    expect(optimizer.moments.second.get(name)?.data).toEqual(alone[name].moments.second.get(name)?.data);
  }
  optimizer.stepCount = 7; // as when resuming
  expect(optimizer.stepCount).toBe(7);
  for (const each of [optimizer, alone.a, alone.b]) await each.release();
});

test("groups that are clipped together are scaled by the norm of both", async () => {
  const groups = (["a", "b"] as const).map((name) => ({
    ...{ name, start: new Map([[name, start[name]]]), learningRate: 0.01, maxGradNorm: 0.5 },
    isClippedTogether: true,
  }));
  const optimizer = await createOptimizer(groups, session);
  const norm = Math.hypot(...gradient.a.data, ...gradient.b.data);
  for (const name of ["a", "b"] as const) optimizer.gradients.get(name)?.data.set(gradient[name].data);
  expect(await optimizer.step()).toBeCloseTo(norm, 5);
  for (const name of ["a", "b"] as const)
    optimizer.moments.first.get(name)?.data.forEach((x, i) => {
      expect(x).toBeCloseTo((0.1 * gradient[name].data[i] * 0.5) / norm, 6);
    });
  await optimizer.release();
});

test("two groups cannot have a parameter of the same name", async () => {
  const group = { name: "a", start: new Map([["w", start.a]]), learningRate: 1 };
  await expect(createOptimizer([group, group], session)).rejects.toThrow("two groups of parameters");
});
