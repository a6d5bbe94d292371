import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readTree, repoCache, writeTree } from "./cache.ts";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "rpo-cache-"));
});
afterAll(() => rm(root, { recursive: true }));

test("a listing as long as the hub may send it is read from the cache again", async () => {
  const cache = repoCache(root, "org/large");
  const paths = Array.from({ length: 20_000 }, (_, i) => `${"folder".repeat(150)}/${i}`);
  const listing = new Map(
    paths.map((path) => [path, { path, size: 1, gitHash: "0".repeat(40), sha256: undefined, xetHash: undefined }]),
  );
  await writeTree(cache, "a".repeat(40), listing);
  expect((await readTree(cache, "a".repeat(40)))?.size).toBe(listing.size);
});
