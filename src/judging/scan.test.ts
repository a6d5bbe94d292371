import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { expect, test } from "vitest";
import { writeSafetensors } from "../tensor/safetensors.ts";
import { isCheckpoints } from "./find.ts";
import { createScanner } from "./scan.ts";

test.each([
  ["/out/dog.safetensors", "/out/dog.safetensors", true],
  ["/out", "/out/pytorch_lora_weights.safetensors", true],
  ["/out", "/out/unet", true],
  ["/out/2026-03-01_10-20-30-backup-75-1-0", "/out/2026-03-01_10-20-30-backup-75-1-0/lora/lora.safetensors", true],
  ["/out/checkpoint-500", "/out/checkpoint-500/my.safetensors", true],
  ["/out", "/out/checkpoint-500/pytorch_lora_weights.safetensors", false],
  ["/out", "/out/checkpoint-500", false],
  ["/out", "/out/dog-000010.safetensors", false],
  ["/out/checkpoint-50", "/out/checkpoint-500/pytorch_lora_weights.safetensors", false],
])("of %s what is read at %s: %s", (place, path, expected) => {
  expect(isCheckpoints(place, path)).toBe(expected);
});

/** A trainer's output of files that differ. @param files by name, what their headers say */
async function output(files: Readonly<Record<string, Readonly<Record<string, string>>>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "rpo-scan-"));
  for (const [i, [name, metadata]] of Object.entries(files).entries()) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    const tensor = { dtype: "float32", shape: [1], data: new Float32Array([i]) } as const;
    await writeSafetensors(join(folder, `${name}.safetensors`), [{ name: "lora.a", tensor }], { metadata });
  }
  return folder;
}

test("a checkpoint that its trainer has removed is not taken for the last one, in whose folder it was", async () => {
  const weights = "pytorch_lora_weights";
  const folder = await output({ [`checkpoint-500/${weights}`]: {}, [`checkpoint-1000/${weights}`]: {}, [weights]: {} });
  const scanner = createScanner([folder]);
  const before = await scanner.look();
  const steps = before.checkpoints.map(({ path, step }) => [basename(path), step]);
  expect(steps).toEqual([
    ["checkpoint-500", 500],
    ["checkpoint-1000", 1000],
    [basename(folder), 1500],
  ]);
  const judged = before.checkpoints.map(({ path, step }) => ({ path: join(path, `${weights}.safetensors`), step }));
  await rm(join(folder, "checkpoint-500"), { recursive: true });
  const { checkpoints, moves } = await scanner.look(judged);
  expect([...moves]).toEqual([]);
  expect(checkpoints.map(({ step }) => step)).toEqual([1000, 1500]);
});

test("files of two trainings are refused, by what headers call them and trainers' names do", async () => {
  const refused = async (files: Parameters<typeof output>[0]) => createScanner([await output(files)]).look();
  await expect(refused({ "dog-000002": {}, "rex-000004": {} })).rejects.toThrow(
    /rex-000004\.safetensors: of a training called rex, and dog-000002\.safetensors of one called dog; name the files of one training/,
  );
  await expect(refused({ "dog-000002": {}, rex: { ss_output_name: "rex", ss_steps: "9" } })).rejects.toThrow(
    "called rex",
  );
  const steps = async (files: Parameters<typeof output>[0]) =>
    (await refused(files)).checkpoints.map(({ step }) => step);
  // a last one that is called anyhow, one that was given another name, and names that people gave
  expect(await steps({ "dog-000002": {}, final: {} })).toEqual([2, 4]);
  const headed = { ss_output_name: "dog", ss_epoch: "9" };
  expect(await steps({ "dog-000002": headed, "best-000004": headed })).toEqual([2, 4]);
  // as rpo export calls its files in their headers
  const exported = (step: number) => ({ ss_output_name: `${step}` });
  expect(await steps({ "dog-step00000002": exported(2), "dog-step00000004": exported(4) })).toEqual([2, 4]);
  expect(await steps({ dog_e1_step5: {}, dog_e2_step10: {} })).toEqual([5, 10]);
});
