import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { startRun } from "../../runs/config.ts";
import { TRAIN_DEFAULTS } from "../../settings/train-settings.ts";
import { defaultOutput, judgedOutput } from "./output.ts";

test.each([
  ["dog", ["output/dog-*.safetensors"], "dog-judged"],
  ["dog", ["output"], "dog-judged"],
  ["dog", ["output/checkpoint-*"], "dog-judged"],
  ["dog", ["train-a/output"], "dog-train-a-judged"],
  ["dog", ["/mnt/Trainings B/save/*.safetensors"], "dog-trainings-b-judged"],
  ["dog", ["output/my_dog_v2_000001250.safetensors", "output/my_dog_v2.safetensors"], "my-dog-v2-judged"],
  ["dog", ["output/dog-2-0000*.safetensors"], "dog-2-judged"],
  ["dog", ["output/sdxl-1024.safetensors"], "dog-sdxl-1024-judged"],
  ["corgi dog", ["loras/rex-step*.safetensors"], "corgi-dog-rex-judged"],
  ["dog", ["rex/checkpoint-500/pytorch_lora_weights.safetensors"], "dog-rex-judged"],
  ["dog", ["rex/sample"], "dog-rex-judged"],
  ["dog", ["save/dog2026-03-01_10-20-30-save-500-4-100.safetensors"], "dog-judged"],
])("a judging of %s in %j goes to %s", (className, paths, folder) => {
  expect(judgedOutput(className, paths)).toBe(join("runs", folder));
});

test("a judging that was begun when folders were called by the class alone goes on there, another one does not", async () => {
  const root = await mkdtemp(join(tmpdir(), "rpo-output-"));
  const judging = (...paths: readonly string[]) => ({ checkpoints: paths.map((path) => resolve(path)) });
  const outputOf = async (...paths: readonly string[]) => defaultOutput("dog", paths, judging(...paths), root);
  const begin = async (folder: string, ...paths: readonly string[]) => {
    const places = { model: "/model", reward: "/reward", images: "/photos", output: folder };
    const settings = { ...TRAIN_DEFAULTS, ...places, class: "dog", resolution: 64, learningRate: 1e-4, threads: 1 };
    const versions = { rpo: "0", node: "0", onnxruntime: "0", platform: "here" };
    await startRun(settings, { versions, hashes: {} }, judging(...paths));
  };
  const [former, now] = [join(root, "dog-judged"), join(root, "dog-rex-judged")];
  expect(await outputOf("rex/output")).toBe(now);
  await begin(former, "rex/output");
  expect(await outputOf("rex/output")).toBe(former);
  expect(await outputOf("max/output")).toBe(join(root, "dog-max-judged"));
  await begin(now, "rex/output");
  expect(await outputOf("rex/output")).toBe(now);
});
