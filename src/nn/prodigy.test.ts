import { readFile } from "node:fs/promises";
import { afterEach, expect, test, vi } from "vitest";
import { BACKENDS } from "../runtime/backends/index.ts";
import { float32 } from "../tensor/tensor.ts";
import { createOptimizer, type Optimizer } from "./optimizer.ts";
import type { ProdigyOptions } from "./prodigy.ts";

/** Against the authors' package: tests/golden/prodigy/make.py. */

type Weights = Readonly<Record<"a" | "b", readonly number[]>>;
interface Case {
  readonly start: Weights;
  readonly steps: readonly (Weights & { readonly rate: number; readonly norm: number; readonly d: number })[];
  readonly end: Weights;
}

const CASES = JSON.parse(
  await readFile(new URL("../../tests/golden/prodigy/steps.json", import.meta.url), "utf8"),
) as Readonly<Record<string, Case>>;

const OPTIONS: Readonly<Record<string, ProdigyOptions & { readonly weightDecay?: number }>> = {
  package: { useBiasCorrection: false, safeguardWarmup: false, weightDecay: 0 },
  ours: {},
  dCoef: { dCoef: 2 },
  growthRate: { dCoef: 2, growthRate: 1.1 },
  schedule: {},
  scheduleUnguarded: { safeguardWarmup: false },
};

const NAMES = ["a", "b"] as const;

function optimizerOf(name: string): Promise<Optimizer> {
  const { weightDecay, ...prodigy } = OPTIONS[name];
  const groups = NAMES.map((group) => ({
    ...{ name: group, start: new Map([[group, float32(CASES[name].start[group])]]) },
    ...{ learningRate: 1, weightDecay, isClippedTogether: true },
  }));
  return createOptimizer(groups, { threads: 1 }, { prodigy });
}

/** @param factor the gradients are given so many times as large as they are */
async function take(optimizer: Optimizer, steps: Case["steps"], factor = 1): Promise<void> {
  for (const { rate, norm, d, ...gradients } of steps) {
    for (const name of NAMES) optimizer.gradients.get(name)?.data.set(gradients[name].map((g) => g * factor));
    expect((await optimizer.step({ rate, count: factor })) / norm).toBeCloseTo(1, 5);
    expect((optimizer.distance?.d ?? NaN) / d).toBeCloseTo(1, 3);
  }
}

/** How far weights moved, beside how far they are from where they should be. */
function errorOf({ parameters }: Optimizer, { start, end }: Case): number {
  const rms = (of: (name: "a" | "b", i: number) => number) =>
    Math.hypot(...NAMES.flatMap((name) => end[name].map((_, i) => of(name, i))));
  const now = (name: "a" | "b", i: number) => parameters.get(name)?.data[i] ?? NaN;
  return rms((name, i) => now(name, i) - end[name][i]) / rms((name, i) => start[name][i] - end[name][i]);
}

afterEach(() => vi.restoreAllMocks());

test.each(Object.keys(CASES))(
  "%s: 24 steps over two groups are those of prodigyopt, and the distance too",
  async (name) => {
    const optimizer = await optimizerOf(name);
    await take(optimizer, CASES[name].steps, name === "dCoef" ? 4 : 1);
    expect(errorOf(optimizer, CASES[name])).toBeLessThan(2e-3);
    expect(optimizer.stepCount).toBe(24);
    await optimizer.release();
  },
);

test("where a device's memory cannot be sliced, the same is done with tensors that lie apart", async () => {
  const { cpu } = BACKENDS;
  const get = vi.spyOn(BACKENDS, "cpu", "get").mockReturnValue({ ...cpu, memory: { ...cpu.memory, canSlice: false } });
  const optimizer = await optimizerOf("dCoef");
  expect(get).toHaveBeenCalled();
  await take(optimizer, CASES["dCoef"].steps);
  expect(errorOf(optimizer, CASES["dCoef"])).toBeLessThan(2e-3);
  await optimizer.release();
});

test("groups of two rates are refused, for there is one distance", async () => {
  const groups = NAMES.map((name, i) => ({ name, start: new Map([[name, float32([1])]]), learningRate: 1 + i }));
  await expect(createOptimizer(groups, { threads: 1 }, { prodigy: {} })).rejects.toThrow("one distance for all groups");
});

test("a step of gradients that are all zero is none", async () => {
  const optimizer = await optimizerOf("ours");
  await optimizer.step();
  expect(optimizer.distance).toEqual({ d: 1e-6, largest: 1e-6, numerator: 0, updates: 0 });
  expect([...(optimizer.parameters.get("a")?.data ?? [])]).toEqual([...float32(CASES["ours"].start.a).data]);
  await optimizer.release();
});
