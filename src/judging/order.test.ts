import { describe, expect, test } from "vitest";
import type { HeaderPlace } from "./headers.ts";
import { parseCheckpointName } from "./names.ts";
import { orderCheckpoints } from "./order.ts";
import type { Placed } from "./places.ts";

const placed = (name: string, { training, ...header }: HeaderPlace = {}): Placed => ({
  path: `/out/${name}.safetensors`,
  name: parseCheckpointName(name, training),
  header,
});
const never = { isSame: () => Promise.resolve(false) };
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
  const { checkpoints, notes } = await orderCheckpoints(twice, { isSame: () => Promise.resolve(true) });
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

describe("a number that may be the training's name", () => {
  test("is so where others' names go on behind it", async () => {
    expect(await steps(placed("dog-2"), placed("dog-2-000002"), placed("dog-2-000004"))).toEqual([
      ["dog-2-000002", 2],
      ["dog-2-000004", 4],
      ["dog-2", 6],
    ]);
    // a name that reads as an epoch's by itself
    expect(await steps(placed("rex-e5"), placed("rex-e5-step00000100"))).toEqual([
      ["rex-e5-step00000100", 100],
      ["rex-e5", 200],
    ]);
  });

  test("is so where others lie in the folder", async () => {
    const folder = { ...placed("run_2"), path: "/out/run_2" };
    const inside = { ...placed("checkpoint-500"), path: "/out/run_2/checkpoint-500" };
    const { checkpoints } = await orderCheckpoints([folder, inside], never);
    expect(checkpoints.map(({ path, step }) => [path, step])).toEqual([
      ["/out/run_2/checkpoint-500", 500],
      ["/out/run_2", 1000],
    ]);
  });

  test("gives way to the header", async () => {
    expect(await steps(placed("dog-2", { step: 900 }), placed("dog_000000300", { step: 300 }))).toEqual([
      ["dog_000000300", 300],
      ["dog-2", 900],
    ]);
    expect(await steps(placed("dog_2", { step: 600 }), placed("dog_1", { step: 300 }))).toEqual([
      ["dog_1", 300],
      ["dog_2", 600],
    ]);
    expect(await steps(placed("sdxl-1024", { step: 600, training: "sdxl-1024" }))).toEqual([["sdxl-1024", 600]]);
  });

  test("is no step where all names have the same", async () => {
    await expect(steps(placed("dog-1024"), placed("cat-1024"))).rejects.toThrow("do not say which step");
    expect(await steps(placed("rex-1024"), placed("rex-1024-000002", { step: 20 }))).toEqual([
      ["rex-1024-000002", 20],
      ["rex-1024", 40],
    ]);
  });

  test("is one where only it tells files apart, and the one without it is the last", async () => {
    expect(await steps(placed("dog_12"), placed("dog_24"), placed("dog"))).toEqual([
      ["dog_12", 12],
      ["dog_24", 24],
      ["dog", 36],
    ]);
    expect(await steps(placed("dog_12"), placed("dog"))).toEqual([
      ["dog_12", 12],
      ["dog", 24],
    ]);
  });
});

describe("the last file, which has no number", () => {
  const before = (judged: Readonly<Record<string, number>>) => ({
    ...never,
    before: new Map(Object.entries(judged).map(([name, step]) => [`/out/${name}.safetensors`, step])),
  });
  const last = async (found: readonly Placed[], judged: Readonly<Record<string, number>>) =>
    (await orderCheckpoints(found, before(judged))).checkpoints.find(({ path }) => path.endsWith("dog.safetensors"))
      ?.step;
  const [two, four, six, eight] = [2, 4, 6, 8].map((step) => placed(`dog-step0000000${step}`));

  test("stays where it was judged as long as it is the last", async () => {
    expect(await last([two, four, placed("dog")], { dog: 6 })).toBe(6);
    expect(await last([four, placed("dog")], { dog: 6 })).toBe(6);
  });

  test("gives its place to a file that has it by right, and stands behind it", async () => {
    expect(await last([two, four, six, placed("dog")], { dog: 6 })).toBe(8);
    expect(await last([two, four, six, eight, placed("dog")], { dog: 6 })).toBe(10);
  });

  test("stands behind what was judged and is gone since", async () => {
    expect(await last([placed("dog")], { "dog-step00000002": 2, "dog-step00000004": 4 })).toBe(6);
  });

  test("is the file that holds the same, whatever its place", async () => {
    const isSame = (a: string, b: string) => Promise.resolve(a.includes("00000004") && b.endsWith("dog.safetensors"));
    const { checkpoints, notes } = await orderCheckpoints([two, four, six, placed("dog")], { isSame });
    expect(checkpoints.map(({ step }) => step)).toEqual([2, 4, 6]);
    expect(checkpoints[1].twins).toEqual(["/out/dog.safetensors"]);
    expect(notes).toEqual(["dog.safetensors is dog-step00000004.safetensors again"]);
  });
});
