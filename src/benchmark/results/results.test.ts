import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { UsageError } from "../../system/errors.ts";
import { openResults, readRows, type Row } from "./results.ts";

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rpo-results-"));
  path = join(folder, "results.jsonl");
});
afterEach(() => rm(folder, { recursive: true }));

const row = (subject: string, lambda: number | null = null): Row => ({
  subject,
  method: lambda === null ? "base" : "rpo",
  lambda,
  seed: 0,
  steps: 3,
  seconds: 1.5,
  memory: null,
  pictures: 4,
  dino: 0.5,
  clipI: 0.6,
  clipT: 0.25,
  alignI: 0.7,
  alignT: 0.8,
  copyRate: 0,
  diversity: null,
});

test("a row is a line with the keys in the format's order, and is there once", async () => {
  const results = await openResults(path);
  await results.append(row("dog"));
  await results.append(row("dog"));
  await results.append(row("dog", 0.3));
  await results.close();
  const text = await readFile(path, "utf8");
  expect(text.split("\n")).toHaveLength(3);
  expect(text.split("\n")[0]).toBe(
    '{"subject":"dog","method":"base","lambda":null,"seed":0,"steps":3,"seconds":1.5,"memory":null,"pictures":4,"dino":0.5,"clipI":0.6,"clipT":0.25,"alignI":0.7,"alignT":0.8,"copyRate":0,"diversity":null}',
  );
});

test("a last line that was cut in the middle is dropped, and that line alone is missing", async () => {
  const results = await openResults(path);
  await results.append(row("dog"));
  await results.append(row("cat"));
  await results.close();
  const whole = await readFile(path);
  await writeFile(path, whole.subarray(0, -20));
  const again = await openResults(path);
  expect(again.has(row("dog"))).toBe(true);
  expect(again.has(row("cat"))).toBe(false);
  await again.append(row("cat"));
  await again.close();
  expect(await readFile(path)).toEqual(whole);
});

test("a line that stands twice counts once, and two that differ are refused", async () => {
  const line = `${JSON.stringify(row("dog"))}\n`;
  await writeFile(path, line + line + `${JSON.stringify(row("cat"))}\n`);
  expect((await readRows(path)).rows.map(({ subject }) => subject)).toEqual(["dog", "cat"]);
  await appendFile(path, `${JSON.stringify({ ...row("dog"), dino: 0.9 })}\n`);
  await expect(readRows(path)).rejects.toThrow("line 4: this row was there before, with other figures");
});

test("a file that cannot be read is an error, not an empty one", async () => {
  await mkdir(path);
  await expect(openResults(path)).rejects.toThrow(/results\.jsonl: cannot be read/);
});

test.each([
  ["no JSON", "{nonsense}\n", "results.jsonl, line 2: not JSON; remove the line"],
  [
    "a cosine of 1e308",
    `${JSON.stringify({ ...row("dog"), dino: 1e308 })}\n`,
    "line 2: dino: expected a number from -1 to 1",
  ],
  [
    "infinite seconds",
    `${JSON.stringify(row("dog")).replace("1.5", "1e999")}\n`,
    "line 2: seconds: expected a number from 0",
  ],
  [
    "pictures below 0",
    `${JSON.stringify({ ...row("dog"), pictures: -1 })}\n`,
    "line 2: pictures: expected a whole number",
  ],
  ["another method", `${JSON.stringify({ ...row("dog"), method: "magic" })}\n`, "results.jsonl, line 2: method: "],
])("a whole line that is %s is named", async (_, line, message) => {
  await writeFile(path, `${JSON.stringify(row("dog"))}\n`);
  await appendFile(path, line);
  await expect(readRows(path)).rejects.toThrow(UsageError);
  await expect(readRows(path)).rejects.toThrow(message);
});
