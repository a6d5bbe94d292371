import { createHash } from "node:crypto";
import { dirname, join, resolve } from "node:path";
import { z } from "zod";
import { makeFolder, writeFileAtomic } from "../system/files.ts";
import { parseJson } from "../system/json.ts";
import { readText } from "../system/regular-files.ts";
import { userCache, type Environment } from "../system/user-cache.ts";

/** What a content was when it was seen to be right. */
const markSchema = z.object({ hash: z.string(), size: z.number(), mtimeMs: z.number() });
const notesSchema = z.record(z.string(), markSchema);
export type Mark = z.infer<typeof markSchema>;

/** The contents of a repository's cache that were seen to be right, by their paths in it. */
export interface Notes {
  has(key: string, mark: Mark): Promise<boolean>;
  /** @returns whether there is a place to keep it */
  keep(key: string, mark: Mark): Promise<boolean>;
}

/**
 * Notes are kept in the repository's cache, where all who use it find them. One that others fill may be read-only: the user's own cache
 * has them then.
 * @param folder models--owner--name
 */
export function notesOf(folder: string, env: Environment = process.env): Notes {
  const name = createHash("sha256").update(resolve(folder)).digest("hex").slice(0, 32);
  const places = [join(folder, "rpo-checked.json"), join(userCache(env), "checked", `${name}.json`)];
  return {
    async has(key, mark) {
      for (const place of places) {
        const notes = await readNotes(place);
        if (Object.hasOwn(notes, key) && isSame(notes[key], mark)) return true;
      }
      return false;
    },
    async keep(key, mark) {
      for (const place of places) {
        try {
          const text = JSON.stringify({ ...(await readNotes(place)), [key]: mark }, undefined, 1);
          await makeFolder(dirname(place));
          await writeFileAtomic(place, text);
          return true;
        } catch {
          // the next place may take it
        }
      }
      return false;
    },
  };
}

export function isSame(a: Mark, b: Mark): boolean {
  return a.hash === b.hash && a.size === b.size && a.mtimeMs === b.mtimeMs;
}

/** Nothing where it cannot be read. */
async function readNotes(path: string): Promise<Readonly<Record<string, Mark>>> {
  try {
    return notesSchema.parse(parseJson(await readText(path)));
  } catch {
    return {};
  }
}
