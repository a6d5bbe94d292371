import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createAdamW } from "../nn/adamw.ts";
import { withResources } from "../runtime/resources.ts";
import { UsageError } from "../system/errors.ts";
import { writeSafetensors } from "../tensor/safetensors.ts";
import { float32 } from "../tensor/tensor.ts";
import { loadState, openState, readProgress, saveState, type SavedState } from "./state.ts";

const newRun = () => mkdtemp(join(tmpdir(), "rpo-state-"));
const optimizerOf = (...weights: number[]) => createAdamW(new Map([["w", float32(weights)]]), { threads: 1 });

async function stateOf(run: string): Promise<SavedState> {
  const state = await openState(run);
  if (state === undefined) throw new Error("no state was saved");
  return state;
}

test("weights, moments and progress come back as they were", async () => {
  const run = await newRun();
  expect(await readProgress(run)).toBeUndefined();
  await withResources(async (own) => {
    const one = own(await optimizerOf(1, 2));
    one.gradients.get("w")?.data.set([3, 4]);
    await one.step({ learningRate: 0.1 });
    const progress = { step: 1, eventsLength: 7, finished: false };
    await saveState(run, one, progress);
    expect(await readProgress(run)).toEqual(progress);
    const other = own(await optimizerOf(0, 0));
    await loadState(await stateOf(run), other);
    expect([other.stepCount, other.parameters, other.moments]).toEqual([1, one.parameters, one.moments]);
  });
});

test("the state of other weights is refused", async () => {
  const run = await newRun();
  await withResources(async (own) => {
    const progress = { step: 1, eventsLength: 0, finished: false };
    await saveState(run, own(await optimizerOf(1, 2)), progress);
    const other = own(await optimizerOf(1, 2, 3));
    await expect(loadState(await stateOf(run), other)).rejects.toThrow("w has 2 elements, the model's 3");
  });
});

test.each([
  ["{nope", "got {nope"],
  ['{"step":-1,"eventsLength":0,"finished":false}', 'expected {"step", "eventsLength", "finished"}'],
  ["null", "got null"],
  [undefined, "not the state of a run"],
])("progress that is %s is an error of one line", async (content, message) => {
  const run = await newRun();
  const metadata: Record<string, string> = content === undefined ? {} : { rpo_progress: content };
  await writeSafetensors(join(run, "state.safetensors"), [{ name: "param.w", tensor: float32([1]) }], { metadata });
  const error: unknown = await readProgress(run).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(UsageError);
  expect((error as Error).message).toContain(message);
  expect((error as Error).message).not.toContain("\n");
});
