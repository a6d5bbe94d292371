import { mkdir, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { blankImage } from "../../images/image.ts";
import { writePng } from "../../images/write.ts";
import type { Scorer } from "../../reward/scorer.ts";
import type { ProgressEvent, RunControl, RunEvent } from "../../runs/events.ts";
import { readEvents } from "../../runs/folder.ts";
import type { TrainSettings } from "../../settings/train-settings.ts";
import { openJudgedLog } from "../judged-log.ts";
import { findSamples } from "./find.ts";
import { createSampleSource } from "./source.ts";
import { createStepJudge } from "./steps.ts";

const start = { type: "start", time: "2026-01-01T00:00:00.000Z", version: "0", photos: [] } as const;
const patience = { quietMs: 0, settleMs: 0, lookMs: 0 };
const prompt = { text: "a dog", rewardText: "a dog", likeness: true };

/** Judges what there is, as a program that has just started. @param score of each picture; isKilled: before the log says it */
async function judge(folder: string, output: string, score: number, isKilled = false): Promise<(readonly number[])[]> {
  const settings = { output, lambda: 1, rewardForm: "harmonic" } as TrainSettings;
  const log = openJudgedLog(settings, await readEvents(output).catch(() => []));
  if (!log.isBegun) await log.begin(start, undefined);
  const scorer = {
    scoreNearest: () => Promise.resolve([{ alignI: score, alignT: 0.5, nearestI: 0.1 }]),
  } as unknown as Scorer;
  const emit = (event: RunEvent | ProgressEvent): void => {
    if (isKilled && event.type === "progress" && event.done === event.total) throw new Error("killed");
  };
  const source = createSampleSource(folder, { watch: false, patience });
  const found = await findSamples(folder);
  if (found === undefined) throw new Error("no pictures");
  const steps = createStepJudge({ log, source, scorer, control: { emit } as unknown as RunControl });
  while ((await steps.next({ found, prompts: [prompt, prompt], settings })) === true);
  return log.validations.map(({ images }) => images.map(({ alignI }) => alignI));
}

test("killed before the log speaks of a step whose pictures were drawn anew, it is judged again, not by its old figures", async () => {
  const folder = await mkdtemp(join(tmpdir(), "rpo-steps-"));
  const output = join(folder, "run");
  await mkdir(join(output, "images"), { recursive: true });
  const pictures = [0, 1].map((i) => join(folder, `0__000000010_${i}.png`));
  const draw = async (value: number) => {
    for (const path of pictures) await writePng(path, blankImage({ width: 4, height: 4 }, value));
  };
  const wait = () => new Promise((done) => setTimeout(done, 20));
  await draw(10);
  await wait();
  expect(await judge(folder, output, 0.2)).toEqual([[0.2, 0.2]]);
  await wait();
  await draw(200);
  await wait();
  await expect(judge(folder, output, 0.7, true)).rejects.toThrow("killed");
  expect(await judge(folder, output, 0.7)).toEqual([[0.7, 0.7]]);
});
