import { cp, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { damagedModel, filled } from "../cli/hostile.ts";
import { makePhotos, MODEL, REWARD, rpo, temporaryFolder } from "./cli.ts";
import { atStep, runHere, shortRequest } from "./in-process.ts";

/** A run's model is its user's: it may be moved, removed or written anew after the run began. */

const photos = await makePhotos(2);

/** A run of its own copy of the model, stopped after a validated step unless it is to be whole. */
async function runOfCopy({ whole = false } = {}) {
  const model = join(await temporaryFolder(), "model");
  await cp(MODEL, model, { recursive: true });
  const request = await shortRequest(photos, { model });
  await runHere(request, whole ? {} : { until: atStep(3) });
  return { model, run: request.output };
}

const weights = (run: string) => readFile(join(run, "checkpoints", "000004", "adapter_model.safetensors"));
const resume = (run: string, ...more: string[]) => rpo(["train", "--resume", "--output", run, ...more]);
const draw = async (run: string, ...more: string[]) =>
  rpo([
    "generate",
    ...["--adapter", join(run, "checkpoints/000002"), "--prompt", "a [V] dog", "-n", "1", "--steps", "2"],
    ...["--output", join(await temporaryFolder(), "out"), ...more],
  ]);

describe("a run whose model has moved", () => {
  test("says where it was and what to give, goes on with it where it is now, and ends as one that had stayed", async () => {
    const { model, run } = await runOfCopy();
    const moved = join(await temporaryFolder(), "moved");
    await rename(model, moved);
    const lost = `${run}: its model is no longer at ${model} (expected a diffusers folder or a .safetensors file); say where it is now with --model`;
    for (const { code, stderr } of [await resume(run), await draw(run)]) {
      expect(code).toBe(2);
      expect(stderr).toContain(lost);
    }
    const elsewhere = await resume(run, "--model", join(moved, "nowhere"));
    expect([elsewhere.code, elsewhere.stderr]).toEqual([2, expect.stringContaining("no such folder")]);
    const drawn = await draw(run, "--model", moved);
    expect(drawn.code, drawn.stderr).toBe(0);
    expect(drawn.stderr).not.toContain("not what");
    const resumed = await resume(run, "--model", moved);
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(await weights(run)).toEqual(await weights((await runOfCopy({ whole: true })).run));
  });

  test("makes its report without it", async () => {
    const { model, run } = await runOfCopy();
    await rm(model, { recursive: true });
    const { code, stderr } = await rpo(["report", run]);
    expect(code, stderr).toBe(0);
  });

  test("is not taken for one of another model while its own is there", async () => {
    const { run } = await runOfCopy();
    const { code, stderr } = await resume(run, "--model", MODEL);
    expect(code).toBe(2);
    expect(stderr).toContain("differs from the run's");
  });
});

describe("a run whose model was written anew", () => {
  test("does not go on, and what is drawn says which file is another", async () => {
    const { model, run } = await runOfCopy();
    const file = "unet/diffusion_pytorch_model.safetensors";
    await rm(model, { recursive: true });
    await cp(await damagedModel(filled(file, 1)), model, { recursive: true });
    const resumed = await resume(run);
    expect(resumed.code).toBe(2);
    expect(resumed.stderr).toContain(`${join(model, file)}: changed since the run in ${run} began; put back`);
    const { stderr } = await draw(run);
    expect(stderr).toContain(`${join(model, file)}: not what ${run} was trained on`);
  });

  test("and a reward that has moved is found where it is now", async () => {
    const reward = join(await temporaryFolder(), "reward");
    await cp(REWARD, reward, { recursive: true });
    const request = await shortRequest(photos, { reward });
    await runHere(request, { until: atStep(1) });
    const moved = join(await temporaryFolder(), "moved");
    await rename(reward, moved);
    const lost = await resume(request.output);
    expect(lost.code).toBe(2);
    expect(lost.stderr).toContain(`its reward is no longer at ${reward} (expected a transformers folder`);
    const { code, stderr } = await resume(request.output, "--reward", moved);
    expect(code, stderr).toBe(0);
  });
});
