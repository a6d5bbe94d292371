import { expect, test } from "vitest";
import { parseCheckpointName } from "./names.ts";
import { orderCheckpoints, type Placed } from "./order.ts";

const placed = (name: string, header: Placed["header"] = {}): Placed => ({
  path: `/out/${name}.safetensors`,
  name: parseCheckpointName(name),
  header,
});
const never = () => Promise.resolve(false);
const steps = async (...found: readonly Placed[]) =>
  (await orderCheckpoints(found, never)).checkpoints.map(({ path, step }) => [path.slice(5, -12), step]);

test("names' steps are the order, and the one without a number is the last", async () => {
  expect(await steps(placed("dog"), placed("dog-step00000250"), placed("dog-step00000500"))).toEqual([
    ["dog-step00000250", 250],
    ["dog-step00000500", 500],
    ["dog", 750],
  ]);
  expect(await steps(placed("dog"))).toEqual([["dog", 1]]);
});

test("headers say the steps of names that count epochs, and of the last", async () => {
  const found = [
    placed("dog-000002", { step: 240, epoch: 2 }),
    placed("dog", { step: 600, epoch: 5 }),
    placed("dog-000004", { step: 480, epoch: 4 }),
  ];
  expect(await steps(...found)).toEqual([
    ["dog-000002", 240],
    ["dog-000004", 480],
    ["dog", 600],
  ]);
});

test("where nothing says steps epochs are the steps, and that is said", async () => {
  const { checkpoints, unit, notes } = await orderCheckpoints(
    [placed("dog-000002"), placed("dog-000004"), placed("dog")],
    never,
  );
  expect(checkpoints.map(({ step }) => step)).toEqual([2, 4, 6]);
  expect(unit).toBe("epoch");
  expect(notes.join()).toContain("a step is an epoch here");
});

test("the last step written twice is one checkpoint; two models of one step are refused by name", async () => {
  const twice = [placed("dog-step00000500"), placed("dog", { step: 500 })];
  const { checkpoints, notes } = await orderCheckpoints(twice, () => Promise.resolve(true));
  expect(checkpoints).toHaveLength(1);
  expect(notes).toEqual(["dog.safetensors is dog-step00000500.safetensors again"]);
  await expect(orderCheckpoints(twice, never)).rejects.toThrow(/of the same step as .*dog-step00000500.* \(500\)/);
});

test("what cannot be put in order is refused by name", async () => {
  await expect(steps(placed("dog"), placed("cat"))).rejects.toThrow(
    /cat.*do not say which step|dog.*do not say which step/,
  );
  await expect(steps(placed("dog-step00000250"), placed("cat-000004"))).rejects.toThrow(/cat-000004/);
  await expect(steps(placed("dog_step2000000"))).rejects.toThrow("at most 1000000");
});

test("a file of step 0 is the starting model, which is judged anyway", async () => {
  expect(await steps(placed("dog_000000000"), placed("dog_000000250"))).toEqual([["dog_000000250", 250]]);
});
