import { mkdir, mkdtemp, readdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { ValidationEvent } from "../runs/events.ts";
import { checkpointPath, readEvents, validationImagePath } from "../runs/folder.ts";
import { readJudged, writeJudged, type JudgedCheckpoint } from "../runs/judged.ts";
import { TRAIN_DEFAULTS, type TrainSettings } from "../settings/train-settings.ts";
import { drawAndScore } from "./judge-step.ts";
import { openJudgedLog } from "./judged-log.ts";

const start = { type: "start", time: "2026-01-01T00:00:00.000Z", version: "0", photos: [] } as const;
const prompt = { text: "a dog", rewardText: "a dog", likeness: true };

function validation(step: number): ValidationEvent {
  const image = validationImagePath(step, 0, 0);
  const images = [{ prompt: "a dog", promptIndex: 0, index: 0, seed: 0, alignI: 0.5, alignT: 0.5, image }];
  return { type: "validation", step, lambda: 1, reward: 0.5, standardError: 0, images };
}

const file = (fingerprint: string): JudgedCheckpoint => ({
  step: 10,
  path: "/out/dog-step00000010.safetensors",
  kind: "lora",
  files: { "/out/dog-step00000010.safetensors": fingerprint },
});

test("stopped before a rewritten file's first picture, the log no longer says of it what was said of the old one", async () => {
  const output = await mkdtemp(join(tmpdir(), "rpo-step-"));
  await mkdir(join(output, "images"));
  const settings: TrainSettings = {
    ...TRAIN_DEFAULTS,
    ...{ model: "/model", reward: "/reward", images: "/photos", class: "dog", output },
    ...{ resolution: 64, learningRate: 1e-4, threads: 1, validationImages: 1, lambda: 1 },
  };
  const log = openJudgedLog(settings, []);
  await log.begin(start, undefined);
  for (const step of [0, 10]) {
    await log.put(validation(step));
    await writeFile(join(output, validationImagePath(step, 0, 0)), "old");
  }
  await writeJudged(output, file("old"));
  const killed = () => Promise.reject(new Error("killed"));
  const scorer = { scoreNearest: killed } as unknown as Parameters<typeof drawAndScore>[2]["scorer"];
  const opened = {
    place: "/out/dog-step00000010.safetensors",
    trained: { kind: "lora", updates: new Map(), embeddings: [] },
    checkpoint: file("new"),
    isUnchanged: () => Promise.resolve(true),
  } as const;
  const context = {
    settings,
    prompts: { plain: prompt, training: [prompt], validation: [prompt] },
    scorer,
    drawing: { with: killed, loads: () => ({ unet: 0, texts: 0 }) },
  };
  await expect(drawAndScore(10, opened, context, log)).rejects.toThrow("killed");
  expect(await readJudged(join(output, checkpointPath(10)))).toEqual(file("new"));
  const said = (await readEvents(output)).filter((event) => event.type === "validation");
  expect(said.map(({ step }) => step)).toEqual([0]);
  expect(await readdir(join(output, "images"))).toEqual([validationImagePath(0, 0, 0).slice("images/".length)]);
});

test("the log is written before anything of the step changes", async () => {
  const output = await mkdtemp(join(tmpdir(), "rpo-step-"));
  await mkdir(join(output, "images"));
  await writeJudged(output, file("old"));
  await writeFile(join(output, validationImagePath(10, 0, 0)), "old");
  const settings = { output, validationImages: 1 } as TrainSettings;
  const context = { settings, prompts: { validation: [prompt] } } as unknown as Parameters<typeof drawAndScore>[2];
  const opened = { checkpoint: file("new") } as Parameters<typeof drawAndScore>[1];
  const log = { drop: () => Promise.reject(new Error("no space")) };
  await expect(drawAndScore(10, opened, context, log)).rejects.toThrow("no space");
  expect(await readJudged(join(output, checkpointPath(10)))).toEqual(file("old"));
  expect(await readdir(join(output, "images"))).toHaveLength(1);
});
