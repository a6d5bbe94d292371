import { createHash } from "node:crypto";
import { homedir } from "node:os";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { z } from "zod";
import { makeFolder, writeFileAtomic } from "../system/files.ts";
import { parseJson } from "../system/json.ts";
import { readText } from "../system/regular-files.ts";

/** What a content was when it was seen to be right. */
const markSchema = z.object({ hash: z.string(), size: z.number(), mtimeMs: z.number() });
const notesSchema = z.record(z.string(), markSchema);
export type Mark = z.infer<typeof markSchema>;

type Environment = Readonly<Record<string, string | undefined>>;

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

/** The program's folder in the user's cache. */
function userCache(env: Environment): string {
  const local = env["LOCALAPPDATA"] ?? "";
  if (process.platform === "win32" && local !== "") return join(local, "rpo");
  // a path that is not absolute is to be passed over (XDG Base Directory Specification)
  const cache = env["XDG_CACHE_HOME"] ?? "";
  return join(isAbsolute(cache) ? cache : join(homedir(), ".cache"), "rpo");
}

/** Nothing where it cannot be read. */
async function readNotes(path: string): Promise<Readonly<Record<string, Mark>>> {
  try {
    return notesSchema.parse(parseJson(await readText(path)));
  } catch {
    return {};
  }
}
