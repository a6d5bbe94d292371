import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { expect, test } from "vitest";
import { findCheckpoints, nameOf } from "./find.ts";
import { stampOf } from "./stamps.ts";
import { watchChanges } from "./waiting.ts";

async function folderWith(...files: readonly string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "rpo-find-"));
  for (const file of files) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), "");
  }
  return folder;
}
const found = async (folder: string, ...wanted: readonly string[]) =>
  (await findCheckpoints(wanted.map((each) => join(folder, each)))).map((path) => relative(folder, path));

test("a pattern takes what it names, a folder the checkpoints in it", async () => {
  const folder = await folderWith(
    "dog-000002.safetensors",
    "dog-000004.safetensors",
    "dog.safetensors",
    "cat.safetensors",
    "dog.json",
    ".dog-000006.safetensors",
    "optimizer.safetensors",
    "diffusion_pytorch_model-00001-of-00002.safetensors",
    "sample/dog_e000002_00_20260301102030.png",
  );
  expect(await found(folder, "dog-*.safetensors")).toEqual(["dog-000002.safetensors", "dog-000004.safetensors"]);
  expect(await found(folder, "dog-00000?.safetensors", "dog.safetensors")).toHaveLength(3);
  expect(await found(folder, ".")).toEqual([
    "cat.safetensors",
    "dog-000002.safetensors",
    "dog-000004.safetensors",
    "dog.safetensors",
  ]);
});

test("a folder of diffusers' scripts or SimpleTuner gives its checkpoints and itself as the last", async () => {
  const folder = await folderWith(
    "checkpoint-500/pytorch_lora_weights.safetensors",
    "checkpoint-1000/pytorch_lora_weights.safetensors",
    "checkpoint-1500-tmp/pytorch_lora_weights.safetensors",
    "pytorch_lora_weights.safetensors",
  );
  expect(await found(folder, ".")).toEqual(["", "checkpoint-1000", "checkpoint-500"]);
  expect(await found(folder, "checkpoint-*")).toEqual(["checkpoint-1000", "checkpoint-500"]);
  const inner = await found(folder, "checkpoint-*0/*.safetensors");
  expect(inner.map(nameOf)).toEqual(["checkpoint-1000", "checkpoint-500"]);
});

test("OneTrainer's workspace and our own run's folder are looked into", async () => {
  const workspace = await folderWith("save/2026-03-01_10-20-30-save-500-4-100.safetensors");
  expect(await found(workspace, ".")).toEqual(["save/2026-03-01_10-20-30-save-500-4-100.safetensors"]);
  const run = await folderWith("events.jsonl", "state.safetensors", "checkpoints/000040/adapter_model.safetensors");
  expect(await found(run, ".")).toEqual(["checkpoints/000040"]);
});

test("a folder that is called by a date is a trainer's output, and one of ours a checkpoint", async () => {
  const folder = await folderWith(
    "20260301/dog-000002.safetensors",
    "20260301/dog.safetensors",
    "260301/dog_000000002.safetensors",
    "000040/adapter_model.safetensors",
  );
  expect(await found(folder, "20260301")).toEqual(["20260301/dog-000002.safetensors", "20260301/dog.safetensors"]);
  expect(await found(folder, "260301")).toEqual(["260301/dog_000000002.safetensors"]);
  expect(await found(folder, "000040")).toEqual(["000040"]);
});

test("a name with a wildcard that is there is itself; what is not there is refused, or waited for", async () => {
  const folder = await folderWith("dog[1].safetensors", "dog*.safetensors");
  expect(await found(folder, "dog*.safetensors")).toEqual(["dog*.safetensors"]);
  expect(await found(folder, "dog[1].safetensors")).toEqual(["dog[1].safetensors"]);
  expect(await found(folder, "cat-*.safetensors")).toEqual([]);
  await expect(found(folder, "cat.safetensors")).rejects.toThrow("no such file or folder");
  expect(await findCheckpoints([join(folder, "cat.safetensors")], { mayCome: true })).toEqual([]);
});

test("a file changes while it grows, and no longer once it has been quiet", async () => {
  const folder = await folderWith("a");
  const path = join(folder, "a");
  let now = 1_000_000;
  const changes = watchChanges(() => now);
  const isChanging = (file: string) => changes.isChanging(file, 1000);
  expect(await isChanging(path)).toBe(true);
  now += 900;
  await writeFile(path, "more");
  expect(await isChanging(path)).toBe(true);
  now += 900;
  expect(await isChanging(path)).toBe(true);
  now += 200;
  expect(await isChanging(path)).toBe(false);
  expect(await isChanging(join(folder, "gone"))).toBe(false);
});

test("a folder changes with any file in it, however deep, and an output folder with its own model alone", async () => {
  const folder = await folderWith(
    "checkpoint-500/unet/config.json",
    "pytorch_lora_weights.safetensors",
    "samples/a.png",
  );
  const stamps = async () =>
    [await stampOf(join(folder, "checkpoint-500")), await stampOf(folder)].map((stamp) => stamp?.text);
  const before = await stamps();
  expect(await stamps()).toEqual(before);
  await writeFile(join(folder, "checkpoint-500/unet/config.json"), "{}");
  await writeFile(join(folder, "samples/b.png"), "");
  const [own, output] = await stamps();
  expect([own === before[0], output === before[1]]).toEqual([false, true]);
  await mkdir(join(folder, "checkpoint-500/text_encoder"));
  expect((await stamps())[0]).not.toBe(own);
  await writeFile(join(folder, "pytorch_lora_weights.safetensors"), "anew");
  expect((await stamps())[1]).not.toBe(output);
  expect(await stampOf(join(folder, "gone"))).toBeUndefined();
});
