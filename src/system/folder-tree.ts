import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";

/** What is below a folder, and in folders inside it: each entry with its path. @throws what Node throws where the folder cannot be read */
export async function entriesBelow(folder: string): Promise<{ readonly path: string; readonly entry: Dirent }[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.map((entry) => ({ path: join(folderOf(entry, folder), entry.name), entry }));
}

/** Node before 20.12 has no `parentPath`, and calls it `path`. */
function folderOf(entry: { readonly parentPath?: string; readonly path?: string }, folder: string): string {
  return entry.parentPath ?? entry.path ?? folder;
}
