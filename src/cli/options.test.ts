import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { ModelError, UsageError } from "../tensor/errors.ts";
import { readModelDefaults } from "./model-defaults.ts";
import { parseTrain, readConfigFile } from "./options.ts";

const required = { model: "m", reward: "r", images: "i", class: "dog" };
const temporary = () => mkdtemp(join(tmpdir(), "rpo-options-"));

test("flags win over the config file, that over the model's defaults, and those over ours", () => {
  const sources = {
    flags: { ...required, steps: "1" },
    config: { steps: 2, rank: 2 },
    model: { steps: 3, rank: 3, patience: 5 },
  };
  expect(parseTrain(sources)).toMatchObject({ steps: 1, rank: 2, patience: 5, negatives: 4, lambda: 0.5 });
});

test("an error names where the setting came from, the value, and what was expected", () => {
  const parse = (sources: Parameters<typeof parseTrain>[0]) => () => parseTrain(sources);
  expect(parse({ flags: { ...required, lambda: "1.5" } })).toThrow('--lambda "1.5": expected a number from 0 to 1');
  expect(parse({ flags: required, config: { validateEvery: 0 } })).toThrow(
    "--config: validateEvery 0: expected an integer of 1 or more",
  );
  expect(parse({ flags: required, model: { beta: -1 } })).toThrow(
    "the model's rpo.json: beta -1: expected a number above 0",
  );
  expect(parse({ flags: required, config: { stepz: 3 } })).toThrow(
    "--config: stepz: no such setting; did you mean steps?",
  );
  expect(parse({ flags: { model: "m" } })).toThrow(new UsageError("--reward is missing"));
});

test("only decimal numbers are numbers", () => {
  for (const steps of ["0x10", "", " ", "1_0", "ten", "NaN", "Infinity", "1e400"])
    expect(() => parseTrain({ flags: { ...required, steps } }), steps).toThrow(UsageError);
  expect(parseTrain({ flags: { ...required, lr: "1e-3", beta: ".5", steps: "1e2" } })).toMatchObject({
    learningRate: 0.001,
    beta: 0.5,
    steps: 100,
  });
});

test("paths are absolute, as a run outlives the folder it was started from", () => {
  expect(parseTrain({ flags: required })).toMatchObject({
    model: resolve("m"),
    reward: resolve("r"),
    images: resolve("i"),
  });
});

test("a config file takes the rate under a run's name for it", async () => {
  const path = join(await temporary(), "config.json");
  await writeFile(path, '{"learningRate": 0.5}');
  expect(parseTrain({ flags: required, config: await readConfigFile(path) }).learningRate).toBe(0.5);
});

test("a model's rpo.json gives defaults, and a rate for each adapter", async () => {
  const model = await temporary();
  expect(await readModelDefaults(model, undefined)).toEqual({});
  await writeFile(join(model, "rpo.json"), '{"train": {"resolution": 128, "lr": {"lora": 0.01, "full": 0.001}}}');
  expect(await readModelDefaults(model, undefined)).toEqual({ resolution: 128, lr: 0.01 });
  expect(await readModelDefaults(model, "full")).toEqual({ resolution: 128, lr: 0.001 });
  for (const wrong of ["[]", '{"train": 3}', '{"train": {"images": "x"}}', '{"train": {"lr": 1}}', "{"]) {
    await writeFile(join(model, "rpo.json"), wrong);
    await expect(readModelDefaults(model, undefined), wrong).rejects.toThrow(ModelError);
  }
});
