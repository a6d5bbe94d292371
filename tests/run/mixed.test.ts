import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { checkpointPath, readEvents } from "../../src/runs/folder.ts";
import type { RunEvent } from "../../src/runs/events.ts";
import { makePhotos } from "./cli.ts";
import { atStep, runHere, shortRequest } from "./in-process.ts";

/**
 * A run in mixed precision, whose first steps' gradients overflow. On a processor, where nobody is offered it: what the run makes of a step
 * that was passed over is the same on every device.
 */

const FIRST = vi.hoisted(() => 2 ** 23);

vi.mock("../../src/nn/loss-scale.ts", async (original) => ({
  ...(await original<object>()),
  FIRST_LOSS_SCALE: { factor: FIRST, goodSteps: 0, skipped: 0 },
}));

const photos = await makePhotos();
const request = () =>
  shortRequest(photos, { precision: "mixed-float16", trainTextEncoder: true, steps: 5, validateEvery: 5 });
const stepsOf = async (run: string) =>
  (await readEvents(run)).filter((event): event is RunEvent & { type: "step" } => event.type === "step");
const weights = (run: string) => readFile(join(run, checkpointPath(5), "adapter_model.safetensors"));

test("steps whose gradients overflow are steps of the run, which is stopped among them and goes on to the same end", async () => {
  const [whole, stopped] = [await request(), await request()];
  await runHere(whole);
  const steps = await stepsOf(whole.output);
  const skipped = steps.filter(({ gradNorm }) => gradNorm === undefined).length;
  expect(skipped).toBeGreaterThan(1);
  expect(skipped).toBeLessThan(4);
  expect(steps.map(({ lossScale }) => lossScale)).toEqual(steps.map((_, i) => FIRST / 2 ** Math.min(i, skipped)));
  expect(steps.every(({ curves }) => Number.isFinite(curves["loss"]))).toBe(true);
  expect(JSON.parse(await readFile(join(whole.output, "state.json"), "utf8"))).toMatchObject({
    step: 5,
    lossScale: { factor: FIRST / 2 ** skipped, goodSteps: 5 - skipped, skipped },
  });

  expect((await runHere(stopped, { until: atStep(1) })).reason).toBe("interrupted");
  expect((await runHere(stopped, { resume: true })).reason).toBe("steps");
  const told = ({ seconds, ...event }: RunEvent & { type: "step" }) => ({ ...event, took: seconds > 0 });
  expect((await stepsOf(stopped.output)).map(told)).toEqual(steps.map(told));
  expect(await weights(stopped.output)).toEqual(await weights(whole.output));
});
