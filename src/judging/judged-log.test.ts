import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { ValidationEvent } from "../runs/events.ts";
import { readEvents } from "../runs/folder.ts";
import { openJudgedLog } from "./judged-log.ts";

function validation(step: number, alignI: number): ValidationEvent {
  const images = [{ prompt: "a dog", promptIndex: 0, index: 0, seed: 0, alignI, alignT: 0.5, image: "images/0.png" }];
  return { type: "validation", step, lambda: 1, reward: alignI, standardError: 0, images };
}
const start = { type: "start", time: "2026-01-01T00:00:00.000Z", version: "0", photos: [] } as const;

async function logOf(...order: readonly number[]): Promise<string> {
  const output = await mkdtemp(join(tmpdir(), "rpo-judged-"));
  const log = openJudgedLog({ output, lambda: 1, rewardForm: "harmonic" }, []);
  await log.begin(start, undefined);
  for (const step of order) await log.put(validation(step, step === 20 ? 0.9 : 0.1 + step / 100));
  await log.end("steps");
  expect(JSON.parse(await readFile(join(output, "best.json"), "utf8"))).toMatchObject({ step: 20 });
  return readFile(join(output, "events.jsonl"), "utf8");
}

test("the log is the same in whatever order the files came, and a log that can be read", async () => {
  const inOrder = await logOf(0, 10, 20, 30);
  expect(await logOf(0, 30, 10, 20)).toBe(inOrder);
  expect(inOrder.match(/"type":"best","step":\d+/g)).toEqual(
    ["0", "10", "20"].map((step) => `"type":"best","step":${step}`),
  );
});

test("a log that goes on keeps its beginning, and takes a step that is judged again in its place", async () => {
  const output = await mkdtemp(join(tmpdir(), "rpo-judged-"));
  const settings = { output, lambda: 1, rewardForm: "harmonic" } as const;
  const first = openJudgedLog(settings, []);
  await first.begin({ ...start, closestI: 0.9 }, undefined);
  await first.put(validation(0, 0.2));
  await first.put(validation(10, 0.3));
  await first.end("interrupted");
  const second = openJudgedLog(settings, await readEvents(output));
  expect([second.isBegun, second.closestI]).toEqual([true, 0.9]);
  expect(await second.put(validation(10, 0.1))).toBe(false);
  expect(second.best?.step).toBe(0);
  expect((await readEvents(output)).map(({ type }) => type)).toEqual(["start", "validation", "best", "validation"]);
});
