import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { UsageError } from "../tensor/errors.ts";
import { readEvents } from "./run-folder.ts";

const START = '{"type":"start","time":"2026-01-01T00:00:00.000Z","version":"0"}';
const BEST = '{"type":"best","step":40,"reward":0.7}';
const STOP = '{"type":"stop","step":40,"reason":"steps"}';

async function runWith(content: string): Promise<string> {
  const run = await mkdtemp(join(tmpdir(), "rpo-events-"));
  await writeFile(join(run, "events.jsonl"), content);
  return run;
}
const types = async (run: string, length?: number) => (await readEvents(run, length)).map(({ type }) => type);

test("every event is read, and keys of later versions are no matter", async () => {
  const later = BEST.replace("}", ',"more":1}');
  expect(await types(await runWith(`${START}\n${later}\n${STOP}\n`))).toEqual(["start", "best", "stop"]);
});

test.each([
  ["in the middle of an event", `${START}\n${BEST}\n${STOP.slice(0, 20)}`, ["start", "best"]],
  ["before the end of the line", `${START}\n${BEST}`, ["start", "best"]],
  ["at its beginning", "", []],
])("a last line that a crash cut off %s is left out", async (_where, content, expected) => {
  expect(await types(await runWith(content))).toEqual(expected);
});

test.each<[string, string, RegExp]>([
  ["half a line in the middle", `${START}\n${BEST.slice(0, 20)}\n${STOP}\n`, /line 2: expected an event as JSON, got/],
  ["a whole last line that is no JSON", `${START}\n${BEST.slice(0, 20)}\n`, /line 2: expected an event as JSON, got/],
  ["no event", `{"type":"nonsense"}\n${STOP}\n`, /line 1: type: no event of a run/],
  ["a number that is none", BEST.replace("0.7", "null"), /line 1: reward: expected a number from 0 to 1, got null/],
  ["a list", "[]\n", /line 1: expected object, received array/],
  [
    "a key missing",
    `${START}\n${STOP.replace('"step":40,', "")}\n`,
    /line 2: step: expected a whole number from 0 to 1000000, got nothing/,
  ],
])("%s is an error that names file and line", async (_name, content, message) => {
  const error: unknown = await readEvents(await runWith(content)).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(UsageError);
  expect((error as Error).message).toMatch(new RegExp(`events\\.jsonl: ${message.source}`));
});

test("of a longer log the saved state's part is read, a shorter one is refused", async () => {
  const run = await runWith(`${START}\n${BEST}\n${STOP}\n`);
  expect(await types(run, START.length + BEST.length + 2)).toEqual(["start", "best"]);
  await expect(readEvents(run, 1000)).rejects.toThrow(/events\.jsonl: expected 1000 bytes or more, .* got \d+/);
});

test("a folder without a log holds no run", async () => {
  await expect(readEvents(tmpdir())).rejects.toThrow("no run here");
});
