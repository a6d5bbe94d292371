import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import sharp from "sharp";
import { expect, test } from "vitest";
import type { ValidationEvent } from "../../runs/events.ts";
import { checkpointPath } from "../../runs/folder.ts";
import { readJudged } from "../../runs/judged.ts";
import { writeSafetensors } from "../../tensor/safetensors.ts";
import { findSamples } from "./find.ts";
import type { JudgeTask } from "../task.ts";
import { judgeSamples } from "./judge.ts";
import { checkLinked, createLink } from "./link.ts";

type Header = Readonly<Record<string, string>>;
const saved = (steps: number, epoch: number): Header => ({ ss_steps: `${steps}`, ss_epoch: `${epoch}` });
const pictures = (...counts: readonly string[]) => counts.map((count) => `dog_${count}_00_20260301100000.png`);

/** Links a trainer's files to its pictures. @returns the file of each step that has one, and what was said */
async function linked(files: Readonly<Record<string, Header>>, drawn: readonly string[], looks = 1) {
  const at = await mkdtemp(join(tmpdir(), "rpo-link-"));
  for (const [name, metadata] of Object.entries(files)) {
    const tensor = {
      dtype: "float32",
      shape: [1],
      data: new Float32Array([Object.keys(files).indexOf(name)]),
    } as const;
    await writeSafetensors(join(at, `${name}.safetensors`), [{ name: "lora.a", tensor }], { metadata });
  }
  for (const name of drawn) await writeFile(join(at, name), "");
  const found = await findSamples(at);
  if (found === undefined) throw new Error("no pictures");
  const validations = found.sets.map(({ step }): ValidationEvent => ({
    type: "validation",
    step,
    lambda: 1,
    reward: 0,
    standardError: 0,
    images: [],
  }));
  const warnings: string[] = [];
  const request = { output: join(at, "run") } as Parameters<typeof createLink>[0]["request"];
  const link = createLink({ request, judging: { checkpoints: [at] }, watch: false }, 0, (text) => warnings.push(text));
  for (let i = 0; i < looks; i++) await link({ validations }, found);
  const names: (readonly [number, string])[] = [];
  for (const { step } of validations) {
    const judged = await readJudged(join(request.output, checkpointPath(step)));
    if (judged !== undefined) names.push([step, basename(judged.path, ".safetensors")]);
  }
  return { names, warnings };
}

test("pictures of epochs are of the files of these epochs, though headers say steps too", async () => {
  const files = {
    "dog-000001": saved(10, 1),
    "dog-000002": saved(20, 2),
    "dog-000010": saved(100, 10),
    dog: saved(200, 20),
  };
  const { names, warnings } = await linked(files, pictures("e000001", "e000010", "e000020"));
  expect(names).toEqual([
    [1, "dog-000001"],
    [10, "dog-000010"],
    [20, "dog"],
  ]);
  expect(warnings).toEqual([]);
  const bySteps = await linked(files, pictures("000010", "000100", "000200"));
  expect(bySteps.names).toEqual([
    [10, "dog-000001"],
    [100, "dog-000010"],
    [200, "dog"],
  ]);
});

test("files of two trainings are refused before the reward is read, but not beside a training", async () => {
  const at = await mkdtemp(join(tmpdir(), "rpo-link-"));
  const tensor = { dtype: "float32", shape: [1], data: new Float32Array(1) } as const;
  for (const name of ["dog-000002", "rex-000004"])
    await writeSafetensors(join(at, `${name}.safetensors`), [{ name: "lora.a", tensor }], {});
  const judging = { checkpoints: [at] };
  await expect(checkLinked({ judging, watch: false })).rejects.toThrow("of a training called rex");
  await expect(checkLinked({ judging, watch: true })).resolves.toBeUndefined();
  await writeFile(join(at, "dog_000010_00_20260301100000.png"), "");
  const photos = await mkdtemp(join(tmpdir(), "rpo-photos-"));
  await sharp({ create: { width: 8, height: 8, channels: 3, background: "red" } }).toFile(join(photos, "a.png"));
  const request: Partial<JudgeTask["request"]> = { images: photos, reward: join(at, "none"), output: join(at, "run") };
  const task = { request: request as JudgeTask["request"], judging: { ...judging, samples: at }, watch: false };
  const control = { emit: () => undefined, signal: new AbortController().signal, confirm: () => Promise.resolve(true) };
  await expect(judgeSamples(task, at, control)).rejects.toThrow("of a training called rex");
});

test("files that were saved after steps are of no epoch's pictures, and that is said once", async () => {
  const files = { "dog-step00000010": saved(10, 1), "dog-step00000020": saved(20, 2) };
  const { names, warnings } = await linked(files, pictures("e000002", "e000010"), 2);
  expect(names).toEqual([]);
  expect(warnings).toEqual([
    "the pictures are of epochs, and neither name nor header says the epoch of dog-step00000010.safetensors and 1 more: not linked to any picture",
  ]);
});

test("a last file whose step is only guessed is linked to no picture, and that is said", async () => {
  const files = { "dog-step00000010": {}, dog: {} };
  const { names, warnings } = await linked(files, pictures("000010", "000020"));
  expect(names).toEqual([[10, "dog-step00000010"]]);
  expect(warnings.join()).toContain("says the step of dog.safetensors: not linked");
});
