import { expect, test } from "vitest";
import { Random } from "../tensor/random.ts";
import { FIRST_LOSS_SCALE, GROWTH_INTERVAL, nextLossScale } from "./loss-scale.ts";
import { createOptimizer } from "./optimizer.ts";

test("the factor halves when gradients overflow, and doubles after 2000 good steps in a row, as GradScaler's does", () => {
  let scale = FIRST_LOSS_SCALE;
  expect(scale.factor).toBe(65536);
  scale = nextLossScale(scale, true);
  scale = nextLossScale(scale, false);
  expect(scale).toEqual({ factor: 32768, goodSteps: 0, skipped: 1 });
  for (let i = 0; i < GROWTH_INTERVAL - 1; i++) scale = nextLossScale(scale, true);
  expect(scale.factor).toBe(32768);
  scale = nextLossScale(scale, true);
  expect(scale).toEqual({ factor: 65536, goodSteps: 0, skipped: 1 });
});

const session = { threads: 1 };
const rng = new Random(2);
const groups = (["a", "b"] as const).map((name) => ({
  ...{ name, start: new Map([[name, rng.split(name).normal([30])]]) },
  ...{ learningRate: 0.01, maxGradNorm: name === "a" ? 0.5 : 100 },
}));
const gradients = ["a", "b"].map((name) => rng.split(`g${name}`).normal([30]).data);

test("scaled gradients train as those of the loss itself: clipped alike", async () => {
  const [plain, scaled] = [
    await createOptimizer(groups, session),
    await createOptimizer(groups, session, FIRST_LOSS_SCALE),
  ];
  for (let step = 0; step < 3; step++) {
    const factor = scaled.lossScale?.factor ?? NaN;
    ["a", "b"].forEach((name, i) => {
      plain.gradients.get(name)?.data.set(gradients[i]);
      scaled.gradients.get(name)?.data.set(gradients[i].map((x) => x * factor));
    });
    expect(await scaled.step()).toBeCloseTo(await plain.step(), 5);
  }
  for (const name of ["a", "b"]) {
    const [x, y] = [plain, scaled].map(({ parameters }) => parameters.get(name)?.data ?? []);
    expect(Math.max(...Array.from(x, (value, i) => Math.abs(value - y[i])))).toBeLessThan(1e-6);
  }
  expect(scaled.lossScale).toEqual({ factor: 65536, goodSteps: 3, skipped: 0 });
  for (const each of [plain, scaled]) await each.release();
});

test.each([NaN, Infinity])(
  "a step in which one group's gradient is %d is passed over for all groups",
  async (wrong) => {
    const optimizer = await createOptimizer(groups, session, FIRST_LOSS_SCALE);
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
