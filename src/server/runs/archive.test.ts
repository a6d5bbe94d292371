import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openArchive } from "./archive.ts";

let root: string;
let file: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "rpo-archive-"));
  file = join(root, ".rpo-archive.json");
});
afterEach(() => rm(root, { recursive: true, force: true }));

test("runs that are put in and taken out at once are all in their place", async () => {
  const archive = openArchive(root);
  const ids = Array.from({ length: 30 }, (_, i) => `run-${i}`);
  await Promise.all(ids.map((id) => archive.set(id, true)));
  await Promise.all(ids.slice(0, 10).map((id) => archive.set(id, false)));
  expect([...(await openArchive(root).ids())]).toEqual(ids.slice(10));
});

test("a damaged archive is told of and kept beside the new one", async () => {
  await writeFile(file, "[1, 2");
  const archive = openArchive(root);
  expect(await archive.ids()).toEqual(new Set());
  expect(archive.problem()).toMatch(/\.rpo-archive\.json: expected JSON.*kept as \.rpo-archive\.json\.damaged/);
  await archive.set("run", true);
  expect(JSON.parse(await readFile(file, "utf8"))).toEqual(["run"]);
  expect(await readFile(`${file}.damaged`, "utf8")).toBe("[1, 2");
});
