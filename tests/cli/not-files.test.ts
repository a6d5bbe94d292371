import { execFileSync } from "node:child_process";
import { cp, mkdir, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadAdapted } from "../../src/checkpoints/adapted-unet.ts";
import { openAlign } from "../../src/checkpoints/encoders.ts";
import { fingerprint, sha256 } from "../../src/checkpoints/hashes.ts";
import { openStableDiffusion } from "../../src/checkpoints/stable-diffusion.ts";
import { readDreamBench } from "../../src/benchmark/subjects/dreambench.ts";
import { readRows } from "../../src/benchmark/results/results.ts";
import { readPictures } from "../../src/evaluation/pictures.ts";
import { readHubSettings } from "../../src/hub/settings.ts";
import { readImage } from "../../src/images/read.ts";
import { findCheckpoint } from "../../src/commands/source.ts";
import { readConfigFile } from "../../src/settings/config-file.ts";
import { readPrompts } from "../../src/training/prompts.ts";
import { readRunConfig } from "../../src/runs/config.ts";
import { readEvents } from "../../src/runs/folder.ts";
import { readBest } from "../../src/runs/best.ts";
import { readProgress } from "../../src/runs/state.ts";
import { loadClipTokenizer } from "../../src/text/clip.ts";
import { makeRun } from "../report/made-up-run.ts";
import { MODEL, REWARD, temporaryFolder } from "../run/cli.ts";

/** Whoever opens a file that may come from others, and the file. */
const readers: [name: string, file: string, read: (folder: string) => Promise<unknown>][] = [
  ["a photo", "a.png", (folder) => readImage(join(folder, "a.png"))],
  ["--config", "c.json", (folder) => readConfigFile(join(folder, "c.json"))],
  ["--prompts", "p.txt", (folder) => readPrompts(join(folder, "p.txt"))],
  ["prompts of pictures", "prompts.json", (folder) => readPictures({ folder, token: "[V]" })],
  ["a run's settings", "config.json", readRunConfig],
  ["a run's events", "events.jsonl", (folder) => readEvents(folder)],
  ["a run's choice", "best.json", readBest],
  ["a run's state", "state.safetensors", readProgress],
  ["a benchmark's rows", "results.jsonl", (folder) => readRows(join(folder, "results.jsonl"))],
  ["DreamBench", "prompts_and_classes.txt", (folder) => readDreamBench(folder, undefined)],
  ["a model's configuration", "unet/config.json", (folder) => openStableDiffusion(folder)],
  ["a model's schedule", "scheduler/scheduler_config.json", (folder) => openStableDiffusion(folder)],
  ["a model's weights", "unet/diffusion_pytorch_model.safetensors", (folder) => openStableDiffusion(folder)],
  ["a tokenizer", "tokenizer/tokenizer.json", (folder) => loadClipTokenizer(join(folder, "tokenizer"))],
  ["merges", "merges.txt", loadClipTokenizer],
  ["a vocabulary", "tokenizer/vocab.json", (folder) => sha256(join(folder, "tokenizer/vocab.json"))],
  ["a fingerprint", "w.safetensors", (folder) => fingerprint(join(folder, "w.safetensors"))],
  ["a token of the hub", "token", (folder) => readHubSettings({ HF_TOKEN_PATH: join(folder, "token") })],
];

/** A copy of a model's folder, with other things in it, one of them replaced. */
async function folderWith(file: string, replace: (path: string) => Promise<void> | void): Promise<string> {
  const folder = join(await temporaryFolder(), "mixed");
  await cp(MODEL, folder, { recursive: true });
  if (file === "merges.txt") await writeFile(join(folder, "vocab.json"), "{}");
  if (file === "prompts.json") await writeFile(join(folder, "a.png"), "");
  await mkdir(join(folder, file, ".."), { recursive: true });
  await rm(join(folder, file), { force: true });
  await replace(join(folder, file));
  return folder;
}

describe.skipIf(process.platform === "win32")("a pipe under its name is refused, and not waited for:", () => {
  test.each(readers)("%s", async (_name, file, read) => {
    const folder = await folderWith(file, (path) => void execFileSync("mkfifo", [path]));
    await expect(read(folder)).rejects.toThrow(/expected a (file|picture), but it is a named pipe/);
  });
});

describe("a file without end is refused before it is read:", () => {
  const bounded = readers.filter(([, file]) => !file.endsWith(".safetensors") && !file.endsWith("vocab.json"));
  test.each(bounded)("%s", async (_name, file, read) => {
    const folder = await folderWith(file, async (path) => {
      await writeFile(path, "");
      await truncate(path, 3e12);
    });
    await expect(read(folder)).rejects.toThrow(/the file has 3000 GB, expected at most \d+ [kM]B/);
  });
});

test("a LoRA of more bytes than whole models have is not read into memory", async () => {
  const folder = await temporaryFolder();
  const path = join(folder, "lora.safetensors");
  await writeFile(path, "");
  await truncate(path, 3e12);
  const model = await openStableDiffusion(MODEL);
  await expect(loadAdapted(model, path, (unet) => unet.load())).rejects.toThrow(
    "the file has 3000 GB, expected at most 8 GB",
  );
});

test("the reward's files are as any model's", async () => {
  const folder = join(await temporaryFolder(), "reward");
  await cp(REWARD, folder, { recursive: true });
  await truncate(join(folder, "tokenizer.json"), 3e12);
  await expect(openAlign(folder)).rejects.toThrow(/tokenizer\.json: the file has 3000 GB, expected at most 16 MB/);
});

test("what a run's checkpoint links to elsewhere is neither drawn with nor exported", async () => {
  const run = await makeRun();
  const own = await temporaryFolder();
  await writeFile(join(own, "private.safetensors"), "");
  await writeFile(join(run, "best.json"), '{"checkpoint": "checkpoints/000010"}');
  const checkpoint = join(run, "checkpoints/000010");
  expect((await findCheckpoint(run)).checkpoint).toBe(checkpoint);

  await symlink(join(own, "private.safetensors"), join(checkpoint, "adapter_model.safetensors"));
  for (const adapter of [run, checkpoint])
    await expect(findCheckpoint(adapter)).rejects.toThrow(/adapter_model\.safetensors: it leads out of/);
  await rm(join(run, "checkpoints"), { recursive: true });
  await mkdir(join(own, "000010"));
  await symlink(own, join(run, "checkpoints"));
  for (const adapter of [run, checkpoint])
    await expect(findCheckpoint(adapter)).rejects.toThrow(/checkpoints\/000010: it leads out of/);
});
