import { mkdir, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { leftoversIn } from "./leftovers.ts";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "rpo-left-"));
});
afterAll(() => rm(root, { recursive: true }));

test("another machine's folder is left over when nothing in it has changed for an hour, however deep", async () => {
  const folder = join(root, `.step-10.1-${"0".repeat(8)}-${"0".repeat(12)}-${"0".repeat(8)}.tmp`);
  const deep = join(folder, "unet");
  await mkdir(deep, { recursive: true });
  await writeFile(join(deep, "weights"), "w");
  const old = new Date(Date.now() - 2 * 60 * 60 * 1000);
  for (const path of [deep, folder]) await utimes(path, old, old);
  expect(await leftoversIn(root)).toEqual([]);
  await utimes(join(deep, "weights"), old, old);
  expect(await leftoversIn(root)).toEqual([folder]);
});
