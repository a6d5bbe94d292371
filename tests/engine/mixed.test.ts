import { expect, test } from "vitest";
import type { Trainer } from "../../src/training/trainer.ts";
import { createTinyTrainer, feedsOf } from "./tiny-training.ts";

/** Training in mixed precision. On a processor ONNX Runtime rounds less than a device does: tests/models/mixed.test.ts rounds all. */

const SIDE = 8;

const open = (how: Partial<Parameters<typeof createTinyTrainer>[0]> = {}) =>
  createTinyTrainer({
    ...{ device: "cpu", adapter: "lora", side: SIDE, memory: "normal", precision: "mixed-float16" },
    ...how,
  });

async function lossesOf(trainer: Trainer, steps: number): Promise<number[]> {
  const losses: number[] = [];
  for (let step = 1; step <= steps; step++) losses.push((await trainer.step(feedsOf(step, SIDE))).curves["loss"][0]);
  return losses;
}

test.each([
  ["lora", "normal"],
  ["lora", "low"],
  ["full", "normal"],
] as const)("the losses of 20 steps (%s, %s memory) stay within a thousandth of float32's", async (adapter, memory) => {
  const [single, mixed] = [await open({ adapter, memory, precision: "float32" }), await open({ adapter, memory })];
  const [expected, losses] = [await lossesOf(single, 20), await lossesOf(mixed, 20)];
  expect(losses).not.toEqual(expected);
  losses.forEach((loss, i) => expect(Math.abs(loss / expected[i] - 1)).toBeLessThan(1e-3));
  expect(mixed.optimizer.lossScale).toEqual({ factor: 2 ** 16, goodSteps: 20, skipped: 0 });
  for (const each of [single, mixed]) await each.release();
});

const state = ({ optimizer }: Trainer) => ({
  tensors: [optimizer.parameters, optimizer.moments.first, optimizer.moments.second].flatMap((tensors) =>
    [...tensors].map(([name, { data }]) => [name, data.slice()]),
  ),
  scale: optimizer.lossScale,
  steps: optimizer.stepCount,
});

test("a scale with which gradients overflow is halved until they do not; till then nothing is trained", async () => {
  const trainer = await open();
  trainer.optimizer.lossScale = { factor: 2 ** 34, goodSteps: 0, skipped: 0 };
  const before = state(trainer).tensors;
  const { gradNorm, curves } = await trainer.step(feedsOf(1, SIDE));
  expect(Number.isFinite(gradNorm)).toBe(false);
  expect(Number.isFinite(curves["loss"][0])).toBe(true);
  expect(state(trainer)).toEqual({
    tensors: before,
    scale: { factor: 2 ** 33, goodSteps: 0, skipped: 1 },
    steps: 0,
  });
  for (let i = 0; i < 40 && trainer.optimizer.stepCount === 0; i++) await trainer.step(feedsOf(1, SIDE));
  expect(state(trainer)).not.toEqual(before);
  expect(trainer.optimizer.stepCount).toBe(1);
  await trainer.release();
});
