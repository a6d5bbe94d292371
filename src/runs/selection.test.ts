import { appendFile, mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { writeSafetensors } from "../tensor/safetensors.ts";
import { float32 } from "../tensor/tensor.ts";
import { putCheckpoint } from "./checkpoints.ts";
import { readBest } from "./best.ts";
import { bestStep, keptSteps } from "../reward/choice.ts";
import { HARMONIC } from "../reward/scale.ts";
import type { ValidationEvent } from "./events.ts";
import { startRun } from "./config.ts";
import { selectCheckpoint } from "./selection.ts";
import { TRAIN_DEFAULTS } from "../settings/train-settings.ts";

function validation(step: number, alignI: number, alignT: number): ValidationEvent {
  const images = [{ prompt: "a dog", promptIndex: 0, index: 0, seed: 0, alignI, alignT, image: "images/0.png" }];
  return { type: "validation", step, lambda: 0.5, reward: 0, standardError: 0, images };
}

/** Likeness rises, obedience falls. */
const validations = [validation(0, 0.5, 0.9), validation(40, 0.7, 0.8), validation(80, 0.9, 0.6)];

/** A run with checkpoints of all steps but the starting model's. */
async function makeRun(): Promise<string> {
  const run = await mkdtemp(join(tmpdir(), "rpo-selection-"));
  const paths = { model: "/m", reward: "/r", images: "/photos", class: "dog", output: run };
  const versions = { rpo: "0", node: "v0", onnxruntime: "0", platform: "none" };
  await startRun(
    { ...TRAIN_DEFAULTS, ...paths, learningRate: 1e-4, resolution: 64, threads: 1 },
    { versions, hashes: {} },
  );
  await writeFile(join(run, "events.jsonl"), validations.map((event) => `${JSON.stringify(event)}\n`).join(""));
  for (const step of [40, 80]) await putCheckpoint(run, step, writeWeights);
  return run;
}

async function writeWeights(folder: string): Promise<void> {
  await writeFile(join(folder, "adapter_config.json"), "{}\n");
  await writeSafetensors(join(folder, "adapter_model.safetensors"), [{ name: "w", tensor: float32([1, 2, 3]) }]);
}

test.each([
  [0, null],
  // 1 / (.5 / .7 + .5 / .8) = .747 against .643 and .72
  [0.5, "checkpoints/000040"],
  [1, "checkpoints/000080"],
])("lambda %f chooses %o, and best.json names it", async (lambda, checkpoint) => {
  const run = await makeRun();
  expect((await selectCheckpoint(run, { lambda })).checkpoint).toBe(checkpoint);
  expect(JSON.parse(await readFile(join(run, "best.json"), "utf8"))).toMatchObject({ lambda, checkpoint });
  expect(await readBest(run)).toBe(checkpoint === null ? undefined : join(run, checkpoint));
});

test("nothing is chosen in a run of a version that is not known", async () => {
  const run = await makeRun();
  await writeFile(join(run, "config.json"), JSON.stringify({ version: 99 }));
  await expect(selectCheckpoint(run, { lambda: 0.5 })).rejects.toThrow("99");
  await expect(readFile(join(run, "best.json"))).rejects.toThrow("ENOENT");
});

test("a best.json that points out of the run is refused", async () => {
  const run = await makeRun();
  await writeFile(join(run, "best.json"), '{"checkpoint": "../other/checkpoints/000040"}');
  await expect(readBest(run)).rejects.toThrow("best.json: expected");
});

test("a checkpoint that is gone is neither chosen nor drawn with", async () => {
  const run = await makeRun();
  await selectCheckpoint(run, { lambda: 0.5 });
  await rm(join(run, "checkpoints", "000040"), { recursive: true });
  await expect(readBest(run)).rejects.toThrow("checkpoints/000040 is gone");
  await expect(selectCheckpoint(run, { lambda: 0.5 })).rejects.toThrow("choose another lambda");
});

test("a damaged checkpoint is not chosen, and the next best step is named", async () => {
  const run = await makeRun();
  const weights = join(run, "checkpoints/000040/adapter_model.safetensors");
  const bytes = await readFile(weights);
  bytes[bytes.length - 1] ^= 1;
  await writeFile(weights, bytes);
  await expect(selectCheckpoint(run, { lambda: 0.5 })).rejects.toThrow(
    /000040\/adapter_model\.safetensors: damaged.*; step 40 is best for lambda 0\.5: .* or take step 80, the best that is whole: adapter .*000080/,
  );
});

test("a checkpoint whose weights were cut short does not count", async () => {
  const run = await makeRun();
  await truncate(join(run, "checkpoints/000040/adapter_model.safetensors"), 50);
  await expect(selectCheckpoint(run, { lambda: 0.5 })).rejects.toThrow(
    "the checkpoint is gone or not whole; step 40 is best for lambda 0.5",
  );
  expect((await selectCheckpoint(run, { lambda: 1 })).candidates.map(({ available }) => available)).toEqual([
    true,
    false,
    true,
  ]);
});

test("a best.json whose step and checkpoint differ is damaged", async () => {
  const run = await makeRun();
  await writeFile(join(run, "best.json"), '{"step": 80, "checkpoint": "checkpoints/000040"}');
  await expect(readBest(run)).rejects.toThrow("best.json: expected");
});

test.each(["{}", '{"checkpoint": 40}', "[]"])("a best.json that is %s is refused by name", async (content) => {
  const run = await makeRun();
  await writeFile(join(run, "best.json"), content);
  await expect(readBest(run)).rejects.toThrow("best.json: expected");
});

test("full fine-tuning keeps what some lambda chooses, and the last", () => {
  expect(keptSteps(validations, { lambda: 0.5, patience: 3 }, HARMONIC)).toEqual(new Set([0, 40, 80]));
  expect(keptSteps([...validations, validation(120, 0.1, 0.1)], { lambda: 0.5, patience: 3 }, HARMONIC)).toEqual(
    new Set([0, 40, 80, 120]),
  );
  const longer = [...validations, validation(120, 0.1, 0.1), validation(160, 0.1, 0.1)];
  expect(keptSteps(longer, { lambda: 0.5, patience: 3 }, HARMONIC)).not.toContain(120);
});

test("full fine-tuning keeps what early stopping would have chosen, though better came later", () => {
  // at lambda .5 the rewards are .5, .7, .6, .6 and .9
  const steps = [0.5, 0.7, 0.6, 0.6, 0.9].map((reward, i) => validation(40 * i, reward, reward));
  expect(keptSteps(steps, { lambda: 0.5, patience: 2 }, HARMONIC)).toEqual(new Set([40, 160]));
  expect(keptSteps(steps, { lambda: 0.5, patience: 3 }, HARMONIC)).toEqual(new Set([160]));
});

test("validations without a reward that is a number choose nothing", () => {
  expect(bestStep([], 0.5, HARMONIC)).toBeUndefined();
  expect(bestStep([validation(0, NaN, NaN), validation(40, NaN, 0.5)], 0.5, HARMONIC)).toBeUndefined();
  expect(bestStep([validation(0, NaN, NaN), validation(40, 0.1, 0.1)], 0.5, HARMONIC)?.step).toBe(40);
  expect(
    keptSteps([validation(0, NaN, NaN), validation(40, NaN, NaN)], { lambda: 0.5, patience: 3 }, HARMONIC),
  ).toEqual(new Set([40]));
});

test("whether the run is finished is told, for training that goes on chooses again", async () => {
  const run = await makeRun();
  expect((await selectCheckpoint(run, { lambda: 0.5 })).finished).toBe(false);
  await appendFile(join(run, "events.jsonl"), '{"type":"stop","step":80,"reason":"interrupted"}\n');
  expect((await selectCheckpoint(run, { lambda: 0.5 })).finished).toBe(false);
  await appendFile(join(run, "events.jsonl"), '{"type":"stop","step":80,"reason":"steps"}\n');
  expect((await selectCheckpoint(run, { lambda: 0.5 })).finished).toBe(true);
});
