import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { UsageError } from "../system/errors.ts";
import { addVotes, countVotes, readVotes, roundSchema } from "./votes.ts";

const folder = () => mkdtemp(join(tmpdir(), "rpo-votes-"));
const round = (...steps: readonly (number | null)[]) => ({
  candidates: [40, 80],
  votes: steps.map((step, picture) => ({ picture, step })),
});

test("rounds are kept one after the other, with the time of each", async () => {
  const run = await folder();
  expect(await readVotes(run)).toEqual([]);
  await addVotes(run, round(40, 80), new Date(0));
  await addVotes(run, round(null), new Date(1000));
  expect(await readVotes(run)).toEqual([
    { time: "1970-01-01T00:00:00.000Z", ...round(40, 80) },
    { time: "1970-01-01T00:00:01.000Z", ...round(null) },
  ]);
});

test("steps are counted by how often they were liked best, the earlier one first of two that are equal", () => {
  expect(countVotes([round(80, 40, null), round(80, 80, 40, 40)])).toEqual([
    { step: 40, votes: 3 },
    { step: 80, votes: 3 },
  ]);
});

test("a vote for a step that was not shown is none", () => {
  expect(roundSchema.safeParse(round(120)).success).toBe(false);
  expect(roundSchema.safeParse(round(40)).success).toBe(true);
});

test("a damaged file is named, and not written over", async () => {
  const run = await folder();
  await writeFile(join(run, "votes.json"), '{"rounds":[{"time":"yesterday"}]}');
  await expect(addVotes(run, round(40), new Date(0))).rejects.toThrow(UsageError);
  expect(await readFile(join(run, "votes.json"), "utf8")).toContain("yesterday");
});

test("rounds that are added at once are all kept", async () => {
  const run = await folder();
  await Promise.all(Array.from({ length: 20 }, (_, i) => addVotes(run, round(i % 2 === 0 ? 40 : 80), new Date(i))));
  expect((await readVotes(run)).map(({ time }) => Date.parse(time))).toEqual(Array.from({ length: 20 }, (_, i) => i));
});
