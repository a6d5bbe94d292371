import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { UsageError } from "../system/errors.ts";
import { readEvents } from "./folder.ts";

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

const step = (n: number, entries = {}) => ({
  ...{ type: "step", step: n, sim: 0.1, pref: 0.7, margin: 0, label: 1, gradNorm: 1, seconds: 1 },
  ...entries,
});
const picture = (seed: number, entries = {}) => ({
  ...{ prompt: "a dog", seed, alignI: 0.5, alignT: 0.5, image: "images/0.png" },
  ...entries,
});
const validation = (n: number, images: object[] = [picture(1), picture(2)], entries = {}) => ({
  ...{ type: "validation", step: n, lambda: 0.5, reward: 0.5, standardError: 0, images },
  ...entries,
});
/** JSON.stringify makes null of Infinity, which JSON.parse makes of 1e999. */
const linesOf = (events: readonly object[]) =>
  events.map((event) => `${JSON.stringify(event).replaceAll('"1e999"', "1e999")}\n`).join("");

test.each<[string, object, RegExp]>([
  [
    "alignI of 1e308",
    validation(1, [picture(1, { alignI: 1e308 }), picture(2)]),
    /images\.0\.alignI: expected a number from 0 to 1, got 1e\+308/,
  ],
  [
    "alignT below 0",
    validation(1, [picture(1, { alignT: -0.1 }), picture(2)]),
    /images\.0\.alignT: expected a number from 0 to 1, got -0\.1/,
  ],
  ["an infinite loss", step(2, { sim: "1e999" }), /sim: expected a number from 0 to 1e\+50, got Infinity/],
  ["a loss beyond all sums", step(2, { pref: 1e300 }), /pref: expected a number from -1e\+50 to 1e\+50/],
  ["a label of 2", step(2, { label: 2 }), /label: expected a number from 0 to 1, got 2/],
  ["a lambda of 2", validation(1, undefined, { lambda: 2 }), /lambda: expected/],
  ["a step beyond all runs", step(1e9), /step: expected a whole number from 1 to 1000000/],
  ["half a step", step(1.5), /step: expected a whole number/],
  [
    "a picture's path without end",
    validation(1, [picture(1, { image: "x".repeat(2000) }), picture(2)]),
    /images\.0\.image: expected a path of at most/,
  ],
  ["no picture", validation(1, []), /images: /],
  ["a step that lacks one before it", step(3), /step 3 after step 1, expected 2/],
  ["a step that was there", step(1), /step 1 after step 1, expected 2/],
  ["a validation that was there", validation(0), /a validation of step 0 after that of step 0/],
  [
    "a picture less",
    validation(1, [picture(1)]),
    /1 pictures where step 0 has 2, expected the same prompts and seeds as at step 0/,
  ],
  ["a picture of another seed", validation(1, [picture(1), picture(3)]), /picture 1 has another prompt or seed/],
  ["pictures in another order", validation(1, [picture(2), picture(1)]), /picture 0 has another prompt or seed/],
])("a log with %s is refused in its line", async (_name, event, message) => {
  const run = await runWith(linesOf([validation(0), step(1), event, step(2)]));
  await expect(readEvents(run)).rejects.toThrow(new RegExp(`events\\.jsonl: line 3: ${message.source}`));
});

test("a number that leaves [0, 1] by its rounding is put back", async () => {
  const run = await runWith(linesOf([validation(0, [picture(1, { alignI: 1 + 1e-7, alignT: -1e-7 })])]));
  expect(await readEvents(run)).toMatchObject([{ images: [{ alignI: 1, alignT: 0 }] }]);
});
