import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { checkUnchanged, readRunConfig, startRun, versionChanges, type Provenance } from "./config.ts";
import { TRAIN_DEFAULTS, type TrainSettings } from "../settings/train-settings.ts";

const provenance: Provenance = {
  versions: { rpo: "0", node: "v0", onnxruntime: "0", platform: "none" },
  hashes: { "/m/unet": "1", "/photos/1.jpg": "2", "/prompts.txt": "3" },
};

async function newSettings(): Promise<TrainSettings> {
  const output = await mkdtemp(join(tmpdir(), "rpo-config-"));
  const paths = { model: "/m", reward: "/r", images: "/photos", class: "dog", output, prompts: "/prompts.txt" };
  return { ...TRAIN_DEFAULTS, ...paths, learningRate: 1e-4, resolution: 64, threads: 1 };
}

async function begun(): Promise<TrainSettings> {
  const settings = await newSettings();
  await startRun(settings, provenance);
  return settings;
}

async function changed(run: string, change: Record<string, unknown>): Promise<void> {
  const path = join(run, "config.json");
  const config = JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
  await writeFile(path, JSON.stringify({ ...config, ...change }));
}

test("what a run began with is read again", async () => {
  const settings = await begun();
  expect(await readRunConfig(settings.output)).toEqual({ settings, version: 2, grownFrom: [], ...provenance });
});

test("how pictures are drawn is recorded, and a run from before that drew with dpm at 7.5", async () => {
  const { output } = await begun();
  const config = JSON.parse(await readFile(join(output, "config.json"), "utf8")) as object;
  expect(config).toMatchObject({ sampler: "dpm", guidance: 7.5 });
  await changed(output, { sampler: undefined, guidance: undefined });
  expect((await readRunConfig(output)).settings).toMatchObject({ sampler: "dpm", guidance: 7.5 });
});

test("a setting that a run does not name has its default: the run may be older than the setting", async () => {
  const { output } = await begun();
  await changed(output, { lambda: undefined, device: undefined, method: undefined, beta: undefined });
  const { settings } = await readRunConfig(output);
  expect(settings).toMatchObject({ lambda: 0.5, device: "cpu", method: "rpo", beta: 1 });
});

test.each<[Record<string, unknown>, string]>([
  [{ steps: "many" }, 'config.json: steps: expected a whole number from 1 to 1000000, got "many"'],
  [{ steps: 1e9 }, "config.json: steps: expected a whole number from 1 to 1000000, got 1000000000"],
  [{ rank: 1e9 }, "config.json: rank: expected a whole number from 1 to 4096"],
  [{ validationImages: -1 }, "config.json: validationImages: expected a whole number from 1 to 1000, got -1"],
  [{ resolution: 1e6 }, "config.json: resolution: expected a whole number from 8 to 4096"],
  [{ threads: undefined }, "config.json: threads: expected a whole number from 1 to 1024, got nothing"],
  [{ learningRate: undefined }, "config.json: learningRate: expected a number above 0, got nothing"],
  [{ hashes: { "/m": 1 } }, "config.json: hashes./m: expected string, received number"],
  [{ surprise: 1 }, 'config.json: Unrecognized key: "surprise"'],
])("a config.json with %o is refused by name", async (change, message) => {
  const { output } = await begun();
  await changed(output, change);
  await expect(readRunConfig(output)).rejects.toThrow(message);
});

test.each<[string, Record<string, string>, RegExp]>([
  ["the file of prompts", { "/prompts.txt": "other" }, /^\/prompts\.txt: changed since the run in .* began; put back/],
  ["a photo that is new", { "/photos/2.jpg": "2" }, /^\/photos\/2\.jpg: added since/],
])("%s is noticed when the run goes on", async (_name, change, message) => {
  const settings = await begun();
  const { output } = settings;
  await checkUnchanged(output, settings, provenance);
  const hashes = { ...provenance.hashes, ...change };
  await expect(checkUnchanged(output, settings, { ...provenance, hashes })).rejects.toThrow(message);
});

test("a photo that is gone is noticed when the run goes on", async () => {
  const settings = await begun();
  const { output } = settings;
  const hashes = { "/m/unet": "1", "/prompts.txt": "3" };
  await expect(checkUnchanged(output, settings, { ...provenance, hashes })).rejects.toThrow(
    "/photos/1.jpg: removed since",
  );
});

test("models that moved are known by their content", async () => {
  const settings = await begun();
  const now = { model: "/elsewhere", reward: "/r", images: "/photos" };
  const at = (hash: string): Provenance => ({
    ...provenance,
    hashes: { "/elsewhere/unet": hash, "/photos/1.jpg": "2", "/prompts.txt": "3" },
  });
  await checkUnchanged(settings.output, now, at("1"));
  await expect(checkUnchanged(settings.output, now, at("2"))).rejects.toThrow("/elsewhere/unet: changed since");
});

test("another version of the program or of ONNX Runtime is told when the run goes on, another Node is not", async () => {
  const { output } = await begun();
  expect(await versionChanges(output, provenance)).toEqual([]);
  const versions = { ...provenance.versions, rpo: "1", node: "v99" };
  expect(await versionChanges(output, { ...provenance, versions })).toEqual([
    "the run was begun with rpo 0; with 1 its results may differ in the last bits",
  ]);
});

test("so is another version of OpenVINO, where that computes", async () => {
  const settings = await newSettings();
  const on = (onnxruntime: string) => ({ ...provenance, versions: { ...provenance.versions, onnxruntime } });
  await startRun(settings, on("openvino 2026.4.1"));
  expect(await versionChanges(settings.output, on("openvino 2026.4.1"))).toEqual([]);
  expect(await versionChanges(settings.output, on("openvino 2026.5.0"))).toEqual([
    "the run was begun with openvino 2026.4.1; with openvino 2026.5.0 its results may differ in the last bits",
  ]);
});

test("a model whose configuration changed is noticed, unless the run does not know what it was", async () => {
  const settings = await begun();
  const hashes = { ...provenance.hashes, "/m/*.json": "1" };
  await checkUnchanged(settings.output, settings, { ...provenance, hashes });
  await changed(settings.output, { hashes: { ...provenance.hashes, "/m/*.json": "0" } });
  const checking = checkUnchanged(settings.output, settings, { ...provenance, hashes });
  await expect(checking).rejects.toThrow("/m/*.json: changed since");
});

test("photos that moved are known by their content too", async () => {
  const settings = await begun();
  const now = { ...settings, images: "/album" };
  const at = (hash: string): Provenance => ({
    ...provenance,
    hashes: { "/m/unet": "1", "/album/1.jpg": hash, "/prompts.txt": "3" },
  });
  await checkUnchanged(settings.output, now, at("2"));
  await expect(checkUnchanged(settings.output, now, at("0"))).rejects.toThrow("/album/1.jpg: changed since");
});
