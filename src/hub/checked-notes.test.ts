import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { checkedContents } from "./checked.ts";
import { notesOf } from "./checked-notes.ts";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "rpo-checked-"));
});
afterAll(() => rm(root, { recursive: true }));

const mark = { hash: "0", size: 1, mtimeMs: 2 };

test("of a cache that cannot be written to, what was seen is noted in the user's own", async () => {
  const repo = join(root, "models--org--shared");
  // nothing can take the place of a folder, whoever runs this
  await mkdir(join(repo, "rpo-checked.json", "in-the-way"), { recursive: true });
  const own = { XDG_CACHE_HOME: join(root, "own"), LOCALAPPDATA: join(root, "own") };
  expect(await notesOf(repo, own).keep("blobs/0", mark)).toBe(true);
  expect(await notesOf(repo, own).has("blobs/0", mark)).toBe(true);
  expect(await notesOf(repo, own).has("blobs/0", { ...mark, mtimeMs: 3 })).toBe(false);
  expect(await notesOf(join(root, "models--org--other"), own).has("blobs/0", mark)).toBe(false);
  expect(await readdir(join(root, "own", "rpo", "checked"))).toHaveLength(1);

  await writeFile(join(root, "file"), "");
  const none = { XDG_CACHE_HOME: join(root, "file"), LOCALAPPDATA: join(root, "file") };
  expect(await notesOf(repo, none).keep("blobs/0", mark)).toBe(false);
});

test("a content is hashed once in a process, whoever asks", async () => {
  const repo = join(root, "models--org--once");
  const path = join(repo, "content");
  const expected = { size: 1, gitHash: "c1b0730e0133447badcfd47fd144e254807b06e1" };
  const long = new Date(1e12);
  await mkdir(repo);
  // damage that keeps the time of change is seen by hashing alone
  for (const content of ["x", "y"]) {
    await writeFile(path, content);
    await utimes(path, long, long);
    expect(await checkedContents(repo, { say: () => undefined }).conditionOf(path, expected)).toBe("whole");
    await rm(join(repo, "rpo-checked.json"), { force: true });
  }
});
