import { join } from "node:path";
import { z } from "zod";
import { readJson, writeJson } from "../../system/files.ts";

/** Runs that are out of the way and still there: their ids, in a file beside them. */
const FILE = ".rpo-archive.json";
const schema = z.array(z.string().max(64)).max(100_000);

export async function archivedNames(root: string): Promise<ReadonlySet<string>> {
  const parsed = schema.safeParse(await readJson(join(root, FILE)).catch(() => []));
  return new Set(parsed.success ? parsed.data : []);
}

export async function archive(root: string, id: string, archived: boolean): Promise<void> {
  const all = new Set(await archivedNames(root));
  if (archived) all.add(id);
  else all.delete(id);
  await writeJson(join(root, FILE), [...all]);
}
