import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { UsageError } from "../system/errors.ts";
import { checkUnchanged, readRunConfig, startRun } from "./config.ts";
import { TRAIN_DEFAULTS, type TrainSettings } from "../settings/train-settings.ts";

const provenance = {
  versions: { rpo: "0.1.0", node: "v20", onnxruntime: "1", platform: "none" },
  hashes: { "/photos/1.jpg": "11" },
};

async function newRun(): Promise<{ settings: TrainSettings; path: string }> {
  const output = await mkdtemp(join(tmpdir(), "rpo-"));
  const folders = { model: "/m", reward: "/r", images: "/photos", output };
  const settings = {
    ...TRAIN_DEFAULTS,
    ...folders,
    class: "dog",
    learningRate: 1e-4,
    resolution: 64,
    threads: 1,
  } satisfies TrainSettings;
  await startRun(settings, provenance);
  return { settings, path: join(output, "config.json") };
}

test("config.json begins with the version, and is read back", async () => {
  const { settings, path } = await newRun();
  expect(await readFile(path, "utf8")).toMatch(/^\{\n {2}"version": 2,\n/);
  expect(await readRunConfig(settings.output)).toEqual({ settings, version: 2, grownFrom: [], ...provenance });
});

test("a folder without a version is an old one of version 1, and goes on", async () => {
  const { settings, path } = await newRun();
  await writeFile(path, (await readFile(path, "utf8")).replace(/"version": 2,/, ""));
  expect(await readRunConfig(settings.output)).toEqual({ settings, version: 1, grownFrom: [], ...provenance });
  await checkUnchanged(settings.output, settings, provenance);
});

test.each([
  [
    "of a later rpo",
    `{"version":3,"versions":{"rpo":"7.0.0"},"hashes":{}}`,
    /version 3 .* by rpo 7\.0\.0, .* reads versions 1 and 2/,
  ],
  ["that is no number", `{"version":"x"}`, /version "x" of a run's folder/],
])("a version %s is refused in a line", async (_name, text, message) => {
  const { settings, path } = await newRun();
  await writeFile(path, text);
  await expect(readRunConfig(settings.output)).rejects.toThrow(message);
  await expect(readRunConfig(settings.output)).rejects.toBeInstanceOf(UsageError);
});
