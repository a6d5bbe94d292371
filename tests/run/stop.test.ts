import { readdir } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import type { StepEvent } from "../../src/runs/events.ts";
import { readEvents } from "../../src/runs/folder.ts";
import type { TrainRequest } from "../../src/settings/train-settings.ts";
import { makePhotos, MODEL, rpo } from "./cli.ts";
import { atStep, runHere, shortRequest } from "./in-process.ts";

/** Rules that end a training by a loss on fixed draws. */

const photos = await makePhotos(3);
const [heldOut] = (await readdir(photos)).sort();
const asked = (more: Partial<TrainRequest>) =>
  shortRequest(photos, {
    ...{ method: "preserve", steps: 12, earlyStopping: true, stopEvery: 1, patience: 1 },
    ...more,
  });

const stepsOf = async (run: string): Promise<StepEvent[]> =>
  (await readEvents(run)).filter((event) => event.type === "step");
const validated = async (run: string) =>
  (await readEvents(run))
    .filter(({ type }) => type === "validation")
    .map((event) => ("step" in event ? event.step : 0));

/** As numpy's var. */
function variance(values: readonly number[]): number {
  const mean = values.reduce((sum, x) => sum + x) / values.length;
  return values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length;
}

const RULES: readonly [
  rule: string,
  curve: string,
  more: Partial<TrainRequest>,
  ends: (losses: number[], seen: number[]) => boolean,
][] = [
  [
    "variance",
    "fixed",
    { stop: "variance", stopWindow: 3, stopThreshold: 0.9 },
    (losses) => losses.length > 3 && variance(losses.slice(-3)) < 0.9 * variance(losses),
  ],
  [
    "held-out",
    "heldOut",
    { stop: "held-out", holdOut: heldOut, learningRate: 0.02 },
    (losses, seen) => seen.some((step) => step > losses.indexOf(Math.min(...losses)) + 1),
  ],
];

describe.each(RULES)("stopped by %s", (_rule, curve, more, ends) => {
  test("training ends at the first validation that the rule holds at, and not before", async () => {
    const request = await asked(more);
    const { reason, step } = await runHere(request);
    const steps = await stepsOf(request.output);
    const losses = steps.map(({ curves }) => curves[curve]);
    expect(losses.every(Number.isFinite)).toBe(true);
    const due = (await validated(request.output)).filter(
      (last, i, all) => last > 0 && ends(losses.slice(0, last), all.slice(0, i + 1)),
    );
    expect([reason, due]).toEqual(due.length > 0 ? ["loss", [step]] : ["steps", []]);
    expect(reason).toBe("loss");
    expect((await readEvents(request.output)).at(-1)).toMatchObject({ type: "stop", reason: "loss", step });
  });

  test("watching changes nothing of what is trained, and a run that was stopped goes on to the same end", async () => {
    const whole = await asked(more);
    await runHere(whole);
    const stopped = await asked(more);
    expect((await runHere(stopped, { until: atStep(3) })).reason).toBe("interrupted");
    await runHere(stopped, { resume: true });
    const curves = async (run: string) => (await stepsOf(run)).map((event) => event.curves);
    expect(await curves(stopped.output)).toEqual(await curves(whole.output));
    const plain = await asked({ ...more, stop: "reward", earlyStopping: false });
    await runHere(plain);
    const expected = (await curves(whole.output)).map((values) =>
      Object.fromEntries(Object.entries(values).filter(([name]) => name !== curve)),
    );
    expect((await curves(plain.output)).slice(0, expected.length)).toEqual(expected);
  });

  test("the loss is the same for weights that do not move, however often it is measured", async () => {
    const request = await asked({ ...more, learningRate: 1e-30, steps: 3 });
    await runHere(request);
    const losses = (await stepsOf(request.output)).map(({ curves }) => curves[curve]);
    expect(new Set(losses).size).toBe(1);
    const { code } = await rpo(["report", request.output]);
    expect(code).toBe(0);
  });
});

test.each([
  [["--stop", "held-out"], /--stop held-out needs --hold-out/],
  [["--stop", "variance", "--no-early-stopping"], /--stop variance: nothing stops early with --no-early-stopping/],
  [["--stop", "never"], /--stop "never": expected reward, variance or held-out/],
])("%s is refused before any work", async (flags, message) => {
  const { code, stderr } = await rpo([
    ...["train", "--model", MODEL, "--reward", "tiny", "--images", photos, "--class", "dog", "--yes"],
    ...flags,
  ]);
  expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
});
