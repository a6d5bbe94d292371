import { expect, test } from "vitest";
import { isCheckpointFolder, parseCheckpointName } from "./names.ts";
import { parseSampleName } from "./samples/names.ts";

// as the trainers' sources write them, with the numbers put in by hand
test.each([
  ["sd-scripts, epochs", "dog-000010", "dog", "epoch", 10],
  ["sd-scripts, steps", "dog-step00000250", "dog", "step", 250],
  ["sd-scripts, without a name", "epoch-000002", "epoch", "epoch", 2],
  ["ai-toolkit", "my_dog_v2_000001250", "my_dog_v2", "step", 1250],
  ["OneTrainer", "dog-2026-03-01_10-20-30-save-500-4-100", "dog", "step", 500],
  ["OneTrainer, without a prefix", "2026-03-01_10-20-30-save-500-4-100", "", "step", 500],
  ["OneTrainer's backups", "2026-03-01_10-20-30-backup-75-1-0", "", "step", 75],
  ["diffusers, SimpleTuner", "checkpoint-500", "", "step", 500],
  ["SimpleTuner's suffix", "checkpoint-500-rolling", "", "step", 500],
  ["rpo", "000040", "", "step", 40],
  ["by hand, a step", "dog_step500", "dog", "step", 500],
  ["by hand, an epoch", "dog-e5", "dog", "epoch", 5],
  ["by hand, a number", "dog_12", "dog", "step", 12],
])("a checkpoint of %s: %s", (_, name, stem, unit, value) => {
  expect(parseCheckpointName(name)).toMatchObject({ stem, count: { unit, value } });
});

test.each([
  ["by hand, the number first", "dog-1500steps", "dog", "step", 1500],
  ["by hand, the number first", "dog_12_epochs", "dog", "epoch", 12],
  ["by hand, the word alone", "step500", "", "step", 500],
])("a checkpoint of %s: %s", (_, name, stem, unit, value) => {
  expect(parseCheckpointName(name)).toMatchObject({ stem, count: { unit, value }, isSure: true });
});

test("what a number counts is sure where a trainer wrote it, or a word says it", () => {
  const isSure = (name: string) => parseCheckpointName(name).isSure;
  expect(["dog-000010", "dog_000001250", "checkpoint-500", "dog-e5", "dog"].map(isSure)).not.toContain(false);
  expect(["dog_12", "dog-2", "sdxl-1024", "run_2"].map(isSure)).not.toContain(true);
});

test("dates and times are no steps", () => {
  for (const name of ["dog-20240101", "dog_1711111111111", "dog-20240101120000", "dog_v1_20240101", "footstep20240101"])
    expect(parseCheckpointName(name).count, name).toBeUndefined();
  // an epoch is written with zeros before it, and a day with none
  expect(parseCheckpointName("dog-241128").isSure).toBe(false);
});

test("digits of the name that the file itself says are no step, what follows is", () => {
  expect(parseCheckpointName("dog-2", "dog-2").count).toBeUndefined();
  expect(parseCheckpointName("dog-e5", "dog-e5").count).toBeUndefined();
  expect(parseCheckpointName("dog-2-000004", "dog-2")).toMatchObject({
    stem: "dog-2",
    count: { unit: "epoch", value: 4 },
  });
  expect(parseCheckpointName("dog-2_000000250", "dog-2")).toMatchObject({
    stem: "dog-2",
    count: { unit: "step", value: 250 },
  });
  // renamed by its owner
  expect(parseCheckpointName("rex_000000250", "dog")).toMatchObject({ stem: "rex", count: { value: 250 } });
});

test.each(["dog", "last", "pytorch_lora_weights", "dog-v2", "my-lora-v2", "checkpoint-500-tmp"])(
  "%s has no number",
  (name) => {
    expect(parseCheckpointName(name)).toMatchObject({ stem: name, count: undefined });
  },
);

test("folders of checkpoints are known by their names, and half written ones are not", () => {
  for (const name of ["checkpoint-500", "000040", "2026-03-01_10-20-30-backup-75-1-0", "checkpoint-500-rolling"])
    expect(isCheckpointFolder(name), name).toBe(true);
  for (const name of ["checkpoint-500-tmp", "dog-000010-state", "sample", "checkpoints", "000040.tmp"])
    expect(isCheckpointFolder(name), name).toBe(false);
});

test.each([
  ["sd-scripts, epochs", "dog_e000010_01_20260301102030_42", "sample", "epoch", 10, "1", 0],
  ["sd-scripts, steps", "dog_000250_00_20260301102030", "sample", "step", 250, "0", 0],
  ["sd-scripts without a name", "000250_03_20260301102030_7", "sample", "step", 250, "3", 0],
  ["ai-toolkit", "1711111111111__000000250_2", "samples", "step", 250, "2", 0],
  ["OneTrainer", "dog2026-03-01_10-20-30-training-sample-75-1-25", "3 - a dog on the Moon", "step", 75, "3", 0],
  ["SimpleTuner", "step_200_on_the_moon_1_512x768", "validation_images", "step", 200, "on_the_moon", 1],
  ["rpo", "validation-000040-03-1", "images", "step", 40, "3", 1],
])("a picture of %s: %s", (_, name, folder, unit, value, prompt, index) => {
  expect(parseSampleName(name, folder)).toMatchObject({ count: { unit, value }, prompt, index });
});

test("of pictures of one step the time tells the later one; other pictures are nobody's", () => {
  const times = ["dog_000250_00_20260301102030", "dog_000250_00_20260302000000"].map(
    (name) => parseSampleName(name, "")?.time ?? "",
  );
  expect(times[0] < times[1]).toBe(true);
  const early = parseSampleName("999__000000250_2", "")?.time ?? "";
  expect(early < (parseSampleName("1000__000000250_2", "")?.time ?? "")).toBe(true);
  for (const name of ["photo-00", "beach", "negative-00-1"]) expect(parseSampleName(name, "")).toBeUndefined();
});
