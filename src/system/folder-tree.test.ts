import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { entriesBelow } from "./folder-tree.ts";

const { readdir } = await vi.importActual<typeof fs>("node:fs/promises");
vi.mock("node:fs/promises", { spy: true });

async function tree(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "rpo-tree-"));
  await mkdir(join(folder, "a", "b"), { recursive: true });
  for (const file of ["1.txt", "a/2.txt", "a/b/3.txt"]) await writeFile(join(folder, file), "");
  return folder;
}

const filesIn = async (folder: string) =>
  (await entriesBelow(folder)).flatMap(({ path, entry }) => (entry.isFile() ? [path] : [])).sort();

test("entries come with their paths, on Node before 20.12 too, whose entries have `path` alone", async () => {
  const folder = await tree();
  const expected = ["1.txt", "a/2.txt", "a/b/3.txt"].map((name) => join(folder, name));
  expect(await filesIn(folder)).toEqual(expected);
  const old = (entry: { name: string; parentPath: string; isFile: () => boolean }) => ({
    ...{ name: entry.name, path: entry.parentPath },
    isFile: () => entry.isFile(),
  });
  const entries = (await readdir(folder, { recursive: true, withFileTypes: true })).map(old);
  vi.mocked(fs.readdir).mockResolvedValueOnce(entries as never);
  expect(await filesIn(folder)).toEqual(expected);
});

test("a folder that is not there is an error", async () => {
  await expect(entriesBelow(join(tmpdir(), "rpo-no-such-folder"))).rejects.toThrow("ENOENT");
});
