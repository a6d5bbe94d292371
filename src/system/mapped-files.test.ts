import { mkdtemp, open, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { changedFile, LEAST_MAPPED, mapFile } from "./mapped-files.ts";

const here = test.skipIf(process.platform !== "linux");

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rpo-mapped-"));
});
afterAll(() => rm(folder, { recursive: true }));

const LENGTH = LEAST_MAPPED + 12;
/** Past the first pages, and at no multiple of one. */
const START = 3 * 2 ** 16 + 20;

const bytesOf = (seed: number) => Buffer.alloc(START + LENGTH).map((_, i) => (i * seed) % 251);

async function written(name: string, bytes = bytesOf(7)): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
}

async function mapOf(path: string, start = START, length = LENGTH): Promise<ArrayBuffer | undefined> {
  const file = await open(path, "r");
  try {
    return await mapFile(file, path, [start, length]);
  } finally {
    await file.close();
  }
}

here(
  "a stretch is the file's bytes, after the file was closed too, and what is written there is no file's",
  async () => {
    const path = await written("stretch");
    const buffer = await mapOf(path);
    expect(Buffer.from(buffer ?? new ArrayBuffer()).equals(bytesOf(7).subarray(START))).toBe(true);
    const mine = new Uint8Array(buffer ?? new ArrayBuffer());
    mine.fill(1);
    const again = await mapOf(path);
    expect(Buffer.from(again ?? new ArrayBuffer()).equals(bytesOf(7).subarray(START))).toBe(true);
    expect(mine.every((byte) => byte === 1)).toBe(true);
  },
);

test("what is short, or ends beyond the file, is left to be read", async () => {
  const path = await written("short");
  expect(await mapOf(path, START, LEAST_MAPPED - 1)).toBeUndefined();
  expect(await mapOf(path, START + 1)).toBeUndefined();
});

here("a file that is replaced stays what it was, and one that is overwritten is found", async () => {
  const path = await written("replaced");
  const buffer = await mapOf(path);
  await rename(await written("other", bytesOf(11)), path);
  expect(Buffer.from(buffer ?? new ArrayBuffer()).equals(bytesOf(7).subarray(START))).toBe(true);
  expect(changedFile()).toBeUndefined();
  await mapOf(path);
  const file = await open(path, "r+");
  await file.write(Buffer.from("other"), 0, 5, START);
  await file.close();
  expect(changedFile()).toBe(path);
});
