import { expect, test } from "vitest";
import { Random } from "../tensor/random.ts";
import { readJson } from "../system/files.ts";
import { packagePath } from "../system/package.ts";
import { float32 } from "../tensor/tensor.ts";
import { FIRST_LOSS_SCALE, nextLossScale } from "./loss-scale.ts";
import { createOptimizer } from "./optimizer.ts";

type Numbers = Readonly<Record<"a" | "b", readonly number[]>>;

/** What torch.amp.GradScaler made of overflows: tests/golden/mixed/scaler.py. */
const golden = (await readJson(packagePath("tests", "golden", "mixed", "scaler.json"))) as {
  readonly factors: readonly {
    readonly start: number;
    readonly steps: number;
    readonly overflows: readonly number[];
    readonly changes: readonly (readonly [step: number, factor: number, goodSteps: number])[];
  }[];
  readonly weights: {
    readonly start: Numbers;
    readonly gradients: readonly Numbers[];
    readonly overflows: Readonly<Record<string, readonly [name: "a" | "b", number: string]>>;
    readonly clip: Readonly<Record<"a" | "b", number>>;
    readonly after: readonly (Numbers & { readonly factor: number; readonly goodSteps: number })[];
  };
};

test.each(golden.factors)("from $start, the factor is GradScaler's over $steps steps", (expected) => {
  let scale = { ...FIRST_LOSS_SCALE, factor: expected.start };
  const changes: unknown[] = [];
  for (let step = 1; step <= expected.steps; step++) {
    const before = scale.factor;
    scale = nextLossScale(scale, !expected.overflows.includes(step));
    if (scale.factor !== before || step === expected.steps) changes.push([step, scale.factor, scale.goodSteps]);
  }
  expect(changes).toEqual(expected.changes);
  expect(scale.skipped).toBe(expected.overflows.length);
});

test("a training begins with GradScaler's factor, and AdamW's weights are those under it, steps that it passes over included", async () => {
  const { start, gradients, overflows, clip, after } = golden.weights;
  const both = ["a", "b"] as const;
  const own = both.map((name) => ({
    ...{ name, start: new Map([[name, float32([...start[name]])]]) },
    ...{ learningRate: 0.01, maxGradNorm: clip[name] },
  }));
  expect(FIRST_LOSS_SCALE.factor).toBe(golden.factors[0].start);
  const optimizer = await createOptimizer(own, session, {
    lossScale: { ...FIRST_LOSS_SCALE, goodSteps: 1999 },
  });
  for (const [step, gradient] of gradients.entries()) {
    const factor = optimizer.lossScale?.factor ?? NaN;
    for (const name of both) optimizer.gradients.get(name)?.data.set(gradient[name].map((x) => x * factor));
    const overflow = overflows[step] as (typeof overflows)[string] | undefined;
    if (overflow !== undefined) optimizer.gradients.get(overflow[0])?.data.set([infinite(overflow[1])], 7);
    await optimizer.step();
    const { factor: next, goodSteps, ...weights } = after[step];
    expect(optimizer.lossScale).toMatchObject({ factor: next, goodSteps });
    for (const name of both)
      optimizer.parameters.get(name)?.data.forEach((x, i) => {
        expect(Math.abs(x - weights[name][i])).toBeLessThan(1e-6);
      });
  }
  expect(optimizer.lossScale?.skipped).toBe(Object.keys(overflows).length);
  await optimizer.release();
});

/** As Python writes it. */
function infinite(text: string): number {
  return Number(text.replace("inf", "Infinity"));
}

const session = { threads: 1 };
const rng = new Random(2);
const groups = (["a", "b"] as const).map((name) => ({
  ...{ name, start: new Map([[name, rng.split(name).normal([30])]]) },
  ...{ learningRate: 0.01, maxGradNorm: name === "a" ? 0.5 : 100 },
}));
const gradients = ["a", "b"].map((name) => rng.split(`g${name}`).normal([30]).data);

test.each([
  ["AdamW", 0.01, undefined],
  ["Prodigy", 1, {}],
] as const)(
  "scaled gradients train by %s as those of the loss itself: clipped alike",
  async (_, learningRate, prodigy) => {
    const own = groups.map((group) => ({ ...group, learningRate }));
    const [plain, scaled] = [
      await createOptimizer(own, session, { prodigy }),
      await createOptimizer(own, session, { prodigy, lossScale: FIRST_LOSS_SCALE }),
    ];
    for (let step = 0; step < 8; step++) {
      const factor = scaled.lossScale?.factor ?? NaN;
      ["a", "b"].forEach((name, i) => {
        plain.gradients.get(name)?.data.set(gradients[i]);
        scaled.gradients.get(name)?.data.set(gradients[i].map((x) => x * factor));
      });
      expect(await scaled.step()).toBeCloseTo(await plain.step(), 5);
    }
    for (const [i, name] of (["a", "b"] as const).entries()) {
      const moved = [plain, scaled].map(({ parameters }) =>
        Array.from(parameters.get(name)?.data ?? [], (x, at) => x - (groups[i].start.get(name)?.data[at] ?? NaN)),
      );
      const most = Math.max(...moved[0].map(Math.abs));
      expect(Math.max(...moved[0].map((x, at) => Math.abs(x - moved[1][at])))).toBeLessThan(most / 1000);
    }
    expect((scaled.distance?.d ?? 1) / (plain.distance?.d ?? 1)).toBeCloseTo(1, 4);
    expect(scaled.lossScale).toEqual({ factor: 65536, goodSteps: 8, skipped: 0 });
    for (const each of [plain, scaled]) await each.release();
  },
);

test.each([NaN, Infinity])(
  "a step in which one group's gradient is %d is passed over for all groups",
  async (wrong) => {
    const optimizer = await createOptimizer(groups, session, { lossScale: FIRST_LOSS_SCALE });
    ["a", "b"].forEach((name, i) => optimizer.gradients.get(name)?.data.set(gradients[i]));
    await optimizer.step();
    const before = [...optimizer.parameters, ...optimizer.moments.second].map(([, { data }]) => data.slice());
    optimizer.gradients.get("b")?.data.set([wrong], 7);
    expect(Number.isFinite(await optimizer.step())).toBe(false);
    expect([...optimizer.parameters, ...optimizer.moments.second].map(([, { data }]) => data)).toEqual(before);
    expect(optimizer.lossScale).toEqual({ factor: 32768, goodSteps: 0, skipped: 1 });
    expect(optimizer.stepCount).toBe(1);
    await optimizer.release();
  },
);
