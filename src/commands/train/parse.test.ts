import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { expect, test } from "vitest";
import { readConfigFile } from "../../settings/config-file.ts";
import { ModelError, UsageError } from "../../system/errors.ts";
import { embeddedFolder } from "../../checkpoints/embedded.ts";
import { readModelDefaults } from "../models/defaults.ts";
import { parseTrain } from "./parse.ts";

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
  expect(parse({ flags: { ...required, lambda: "1.5" } })).toThrow('lambda "1.5": expected a number from 0 to 1');
  expect(parse({ flags: required, config: { validateEvery: 0 } })).toThrow(
    "config: validateEvery 0: expected an integer of 1 or more",
  );
  expect(parse({ flags: required, model: { beta: -1 } })).toThrow(
    "the model's rpo.json: beta -1: expected a number above 0",
  );
  expect(parse({ flags: required, config: { stepz: 3 } })).toThrow(
    "config: stepz: no such setting; did you mean steps?",
  );
  expect(parse({ flags: { model: "m" } })).toThrow(new UsageError("images is missing"));
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

test("a config file takes settings under both of their names, and its schema", async () => {
  const path = join(await temporary(), "config.json");
  await writeFile(path, '{"$schema": "./rpo.schema.json", "learningRate": 0.5, "samplerSteps": 7}');
  const config = await readConfigFile(path);
  expect(parseTrain({ flags: required, config })).toMatchObject({ learningRate: 0.5, validationSteps: 7 });
  expect(parseTrain({ flags: { ...required, lr: "2", validationSteps: "8" }, config })).toMatchObject({
    learningRate: 2,
    validationSteps: 8,
  });
});

test("a method has to be one that there is", () => {
  expect(() => parseTrain({ flags: { ...required, method: "magic" } })).toThrow('method "magic": expected');
});

test("a model's rpo.json gives defaults, a rate for each adapter, and prompts for each kind of subject", async () => {
  const model = await temporary();
  const write = (content: string) => writeFile(join(model, "rpo.json"), content);
  expect(await readModelDefaults(model, {})).toEqual({});
  await write('{"train": {"resolution": 128, "lr": {"lora": 0.01, "full": 0.001}}}');
  expect(await readModelDefaults(model, {})).toEqual({ resolution: 128, lr: 0.01 });
  expect(await readModelDefaults(model, { adapter: "full" })).toEqual({ resolution: 128, lr: 0.001 });
  await write('{"prompts": {"live": "a.json", "object": "b.json"}}');
  expect(await readModelDefaults(model, { class: "corgi dog" })).toEqual({ prompts: join(model, "a.json") });
  expect(await readModelDefaults(model, { class: "dog toy" })).toEqual({ prompts: join(model, "b.json") });
  for (const wrong of [
    "[]",
    '{"train": 3}',
    '{"train": {"images": "x"}}',
    '{"train": {"lr": 1}}',
    '{"prompts": 1}',
    "{",
  ]) {
    await write(wrong);
    await expect(readModelDefaults(model, {}), wrong).rejects.toThrow(ModelError);
  }
});

test("tiny is the embedded model and its reward the default, and the authors' with another model", () => {
  const embedded = parseTrain({ flags: { images: "i", class: "dog" } });
  expect(embedded.model).toMatch(/models[/\\]tiny[/\\]sd$/);
  expect(embedded.reward).toMatch(/models[/\\]tiny[/\\]align$/);
  expect(parseTrain({ flags: { ...required, reward: "tiny" } }).reward).toBe(embedded.reward);
  expect(parseTrain({ flags: { ...required, model: "./tiny" } }).model).toBe(resolve("tiny"));
  expect(parseTrain({ flags: { model: "m", images: "i", class: "dog" } }).reward).toBe(
    resolve("kakaobrain/align-base"),
  );
});

test("subjects of one kind get the model's prompts for it, of two kinds the program's own", async () => {
  const model = embeddedFolder("sd");
  const promptsOf = async (...concepts: readonly object[]) => {
    const { prompts } = await readModelDefaults(model, { class: "dog", concepts });
    return typeof prompts === "string" ? basename(prompts) : prompts;
  };
  const [dog, cat, pot] = ["dog", "cat", "teapot"].map((name) => ({ class: name }));
  expect(await promptsOf(dog, cat)).toBe("prompts-live.json");
  expect(await promptsOf(dog, pot)).toBeUndefined();
  expect(await promptsOf({ ...dog, subject: "object" }, pot)).toBe("prompts-object.json");
});
