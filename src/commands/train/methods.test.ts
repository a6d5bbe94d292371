import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import * as METHODS from "../../methods/index.ts";
import type { MethodEntry } from "../../settings/method-entry.ts";
import { defaultLearningRate } from "../../settings/learning.ts";
import { readModelDefaults } from "../models/defaults.ts";
import { parseTrain } from "./parse.ts";

const required = { model: "m", reward: "r", images: "i", class: "dog" };
const preserve = { ...required, method: "preserve" };

test("a method's settings are taken with that method, and refused with another", () => {
  expect(parseTrain({ flags: { ...preserve, preserveWeight: "3" } })).toMatchObject({
    method: "preserve",
    preserveWeight: 3,
  });
  expect(() => parseTrain({ flags: { ...preserve, beta: "3" } })).toThrow(
    "beta: belongs to method rpo, not to preserve",
  );
  expect(() => parseTrain({ flags: required, config: { preserveWeight: 3 } })).toThrow(
    "config: preserveWeight: belongs to method preserve, not to rpo",
  );
});

test("what a model says of other methods does not matter, nor does a run that goes on refuse its own", () => {
  const model = { beta: 5, preserveWeight: 7 };
  expect(parseTrain({ flags: preserve, model })).toMatchObject({ beta: 1, preserveWeight: 7 });
  expect(parseTrain({ flags: required, model })).toMatchObject({ beta: 5, preserveWeight: 0.1 });
  expect(parseTrain({ flags: {}, run: { ...preserve, preserveWeight: 5 } })).toMatchObject({ preserveWeight: 5 });
});

test("a preset says what nobody else does, and is the method's own", () => {
  const dreambooth = { ...required, method: "dreambooth", preset: "diffusers" };
  expect(parseTrain({ flags: dreambooth, model: { steps: 7 } })).toMatchObject({
    ...{ adapter: "full", learningRate: 5e-6, steps: 800, classPictures: 200, earlyStopping: false },
  });
  expect(parseTrain({ flags: { ...dreambooth, steps: 50 }, config: { classPictures: 3 } })).toMatchObject({
    ...{ adapter: "full", steps: 50, classPictures: 3 },
  });
  expect(() => parseTrain({ flags: { ...dreambooth, preset: "mine" } })).toThrow(
    "preset mine: method dreambooth has paper, diffusers, diffusers-plain, diffusers-lora",
  );
  expect(() => parseTrain({ flags: { ...required, preset: "paper" } })).toThrow("preset paper: method rpo has none");
});

test("every setting of a preset is one that its method has, with a value that may be given", () => {
  for (const [method, { presets = {}, readsPhotos }] of Object.entries<MethodEntry>(METHODS))
    for (const preset of Object.keys(presets)) {
      const flags = { ...required, method, preset, ...(readsPhotos === true && { imageEncoder: "c" }) };
      expect(parseTrain({ flags }).preset).toBe(preset);
    }
});

test("a method that reads photos needs what reads them, but with the embedded model", () => {
  const flags = { ...required, method: "disenbooth" };
  expect(() => parseTrain({ flags })).toThrow(/imageEncoder is missing: a CLIP model.*openai\/clip-vit-large-patch14/);
  expect(parseTrain({ flags: { ...flags, model: "tiny" } }).imageEncoder).toMatch(/clip$/);
  expect(() => parseTrain({ flags: { ...required, imageEncoder: "c" } })).toThrow(
    "imageEncoder: belongs to method disenbooth, not to rpo",
  );
});

test("a method that trains something else has a rate of its own, the model's or its own default", async () => {
  const model = await mkdtemp(join(tmpdir(), "rpo-model-"));
  await writeFile(join(model, "rpo.json"), JSON.stringify({ train: { lr: { full: 1e-3, inversion: 0.02 } } }));
  expect(await readModelDefaults(model, { method: "inversion", adapter: "full" })).toEqual({ lr: 0.02 });
  expect(await readModelDefaults(model, { method: "custom", adapter: "full" })).toEqual({});
  expect(await readModelDefaults(model, { method: "dreambooth", adapter: "full" })).toEqual({ lr: 1e-3 });
  await rm(model, { recursive: true });
  expect(defaultLearningRate({ method: "inversion", adapter: "lora" })).toBe(5e-4);
  expect(defaultLearningRate({ method: "dreambooth", adapter: "lora" })).toBe(1e-4);
});

test("a method that there is none of is refused by the names of those that there are", () => {
  expect(() => parseTrain({ flags: { ...required, method: "magic" } })).toThrow(
    'method "magic": expected advantage, custom, disenbooth, dpo, dreambooth, inversion, kto, preserve, rpo or sfo',
  );
});
