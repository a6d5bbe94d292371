import { join } from "node:path";
import { expect, test } from "vitest";
import { judgedOutput } from "./output.ts";

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
