import { expect, test } from "vitest";
import * as METHODS from "../methods/index.ts";
import { BENCH } from "./bench.ts";
import { MACHINE } from "./common.ts";
import { DEMO } from "./demo.ts";
import type { MethodEntry } from "./method-entry.ts";
import { EVALUATE } from "./evaluate.ts";
import { EXPORT } from "./export.ts";
import { GENERATE } from "./generate.ts";
import { identityOf } from "./identity.ts";
import { CONFIGURED, jsonSchemaOf } from "./json-schema.ts";
import { gather, parseSources, parseTable } from "./parse.ts";
import { MERGE } from "./merge.ts";
import { REPORT } from "./report.ts";
import { JUDGE, JUDGE_COMMAND } from "./judge.ts";
import { rowsOf } from "./rows.ts";
import { SELECT } from "./select.ts";
import { namesOf, withoutOthers, type SettingsTable } from "./setting.ts";
import { TRAIN, TRAIN_COMMAND } from "./train.ts";
import { TRAIN_DEFAULTS } from "./train-settings.ts";
import { WORKER } from "./worker.ts";

const TABLES: Readonly<Record<string, SettingsTable>> = {
  ...{ train: TRAIN, command: TRAIN_COMMAND, generate: GENERATE, evaluate: EVALUATE, bench: BENCH, demo: DEMO },
  ...{ export: EXPORT, merge: MERGE, select: SELECT, report: REPORT, worker: WORKER, machine: MACHINE },
  ...{ judge: JUDGE, judgeCommand: JUDGE_COMMAND },
};

test.each(Object.entries(TABLES))("in the table of %s", (_name, table) => {
  const names = Object.keys(table).flatMap((key) => namesOf(table, key));
  expect(new Set(names).size).toBe(names.length);
  for (const [key, setting] of Object.entries(table)) {
    const what = `${key} is either absent or has a default, which may be stored`;
    expect((setting.default === undefined) !== (setting.absent === undefined), what).toBe(true);
    if (setting.default !== undefined) expect(setting.stored.parse(setting.default), what).toEqual(setting.default);
  }
});

test("a setting that not every method has says which have it", () => {
  const table: SettingsTable = TRAIN;
  for (const [key, { methods, isShared = false }] of Object.entries(table)) {
    const having = Object.entries<MethodEntry>(METHODS).flatMap(([name, { settings, trains }]) =>
      key in settings || (isShared && trains === undefined) ? [name] : [],
    );
    expect([key, methods]).toEqual([key, having.length === 0 ? undefined : having]);
  }
});

const MADE_UP = {
  steps: TRAIN.steps,
  method: { ...TRAIN.method, default: "rpo" },
  pull: { ...TRAIN.beta, methods: ["preserve"], row: {}, group: "Pull", default: 2 },
  beta: { ...TRAIN.beta, methods: ["rpo"], row: {} },
} satisfies SettingsTable;

test("a run says and shows its own method's settings, and those of all methods", () => {
  const settings = { method: "preserve", steps: 3, pull: 2, beta: 1 };
  expect(withoutOthers(MADE_UP, settings)).toEqual({ method: "preserve", steps: 3, pull: 2 });
  expect([...rowsOf(MADE_UP, settings)]).toEqual([
    [
      "Training",
      [
        ["steps at most", 3],
        ["method", "preserve"],
      ],
    ],
    ["Pull", [["pull", 2]]],
  ]);
});

test("equal work is known by what the first version had, and by other settings where they are not their default", () => {
  const first = { beta: 1, steps: 400, prompts: undefined };
  expect(identityOf(MADE_UP, { ...first, method: "rpo", pull: 2 })).toEqual(first);
  expect(identityOf(MADE_UP, { ...first, pull: 3 })).toEqual({ ...first, pull: 3 });
  expect(identityOf(TRAIN, TRAIN_DEFAULTS)).not.toHaveProperty("method");
});

test("what other trainers call a setting is answered with its name here", () => {
  const config = [
    { given: { images: "photos", class: "dog", learning_rate: 1e-4 }, nameOf: (name: string) => `--config: ${name}` },
  ];
  expect(() => parseSources(TRAIN, config)).toThrow("--config: learning_rate: no such setting; did you mean lr?");
});

test("a setting has a name and a key, of which one is given, and errors say which", () => {
  const nameOf = (name: string) => `<${name}>`;
  const two = [{ given: { lr: 1, learningRate: 2 }, nameOf }];
  expect(() => gather(TRAIN, two)).toThrow("<lr> and <learningRate> are one setting; give one of them");
  const sources = [
    { given: { learningRate: 2 }, nameOf },
    { given: { lr: 1, samplerSteps: 3 }, nameOf },
  ];
  expect(gather(TRAIN, sources)).toEqual({
    values: { learningRate: 2, validationSteps: 3 },
    names: { learningRate: "<learningRate>", validationSteps: "<samplerSteps>" },
  });
  const required = { images: "i", class: "dog" };
  expect(() => parseTable(TRAIN, { ...required, validationSteps: 0 })).toThrow("validationSteps 0: expected");
  expect(() => parseTable(TRAIN, { ...required, samplerSteps: 0 })).toThrow("samplerSteps 0: expected");
  expect(() => parseTable(TRAIN, { ...required, samplers: 0 })).toThrow("samplers: no such setting; did you mean");
});

interface JsonSchema {
  readonly properties: Readonly<Record<string, unknown>>;
  readonly required?: unknown;
  readonly additionalProperties: unknown;
}

test("the JSON Schema of a config file has every name, its kind, its limits and its default", () => {
  const { properties, required, additionalProperties } = jsonSchemaOf(CONFIGURED.train) as JsonSchema;
  expect([required, additionalProperties]).toEqual([undefined, false]);
  expect(Object.keys(properties).sort()).toEqual(
    ["$schema", ...Object.keys(TRAIN).flatMap((key) => namesOf(TRAIN, key))].sort(),
  );
  expect(properties).toMatchObject({
    rank: { type: "integer", minimum: 1, maximum: 4096, default: 16, description: "of the LoRA" },
    lr: { type: "number", exclusiveMinimum: 0 },
    adapter: { enum: ["lora", "full"], default: "lora" },
    preference: { type: "boolean", default: true },
  });
  // a subject's fields, in our words or in diffusers'
  const ofSubject = (images: string, className: string) => ({
    properties: { [images]: {}, [className]: {} },
    additionalProperties: false,
  });
  expect(properties["concepts"]).toMatchObject({
    anyOf: [
      { type: "string" },
      { items: { anyOf: [ofSubject("images", "class"), ofSubject("instance_data_dir", "class_prompt")] } },
    ],
  });
  expect(properties["threads"]).not.toHaveProperty("default");
  expect((jsonSchemaOf(CONFIGURED.bench) as JsonSchema).properties).not.toHaveProperty("seed");
});
