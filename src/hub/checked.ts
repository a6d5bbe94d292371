import { createHash } from "node:crypto";
import { open, realpath, stat } from "node:fs/promises";
import { basename, dirname, join, relative, sep } from "node:path";
import { z } from "zod";
import { readText } from "../tensor/regular-files.ts";
import { readFully, writeFileAtomic } from "../tensor/files.ts";
import { checkStopped } from "./errors.ts";
import { SHA1, SHA256, type HubFile } from "./listing.ts";

/** What a content should be: its size, and the SHA-256 of a large file or git's hash of a small one. */
export type Expected = Pick<HubFile, "size" | "sha256" | "gitHash">;

/** A content that is not what it should be is damaged, one without a file is missing. */
export type Condition = "whole" | "damaged" | "missing";

/**
 * Which contents of a repository's cache have been seen to be right. One of the right size may still be damaged, by a disk or by a power
 * cut during another program's download.
 *
 * Hashing takes some two seconds a gigabyte, too long for every start. So a content is hashed when it is first used, and again when its
 * size or its time of change is another; what was seen is noted beside the contents.
 */
export interface Checked {
  /** @param expected undefined: what the name of a blob says that it is, if anything @throws DownloadStopped */
  conditionOf(path: string, expected: Expected | undefined): Promise<Condition>;
  /** Notes a content that has just been seen to be right. */
  note(path: string, expected: Expected): Promise<void>;
}

interface CheckedOptions {
  readonly signal?: AbortSignal | undefined;
  readonly say: (line: string) => void;
}

const NOTES = "rpo-checked.json";
const LARGE = 2 ** 29;
const CHUNK = 4 * 2 ** 20;

const markSchema = z.object({ hash: z.string(), size: z.number(), mtimeMs: z.number() });
const notesSchema = z.record(z.string(), markSchema);
type Mark = z.infer<typeof markSchema>;

/** @param folder models--owner--name */
export function checkedContents(folder: string, { signal, say }: CheckedOptions): Checked {
  // of this process, damaged ones too
  const seen = new Map<string, Mark & { readonly right: boolean }>();

  async function noted(key: string): Promise<Mark | undefined> {
    const notes = await readNotes(folder);
    return Object.hasOwn(notes, key) ? notes[key] : undefined;
  }

  async function keep(key: string, mark: Mark): Promise<void> {
    seen.set(key, { ...mark, right: true });
    const notes = { ...(await readNotes(folder)), [key]: mark };
    // a cache that others fill may be read-only
    await writeFileAtomic(join(folder, NOTES), JSON.stringify(notes, undefined, 1)).catch(() => undefined);
  }

  return {
    async conditionOf(path, wanted) {
      const info = await stat(path).catch(() => undefined);
      if (info?.isFile() !== true) return "missing";
      const real = await realpath(path);
      const expected = wanted ?? expectedByName(folder, real, info.size);
      if (expected === undefined) return "whole";
      if (info.size !== expected.size) return "damaged";
      const mark = { hash: hashIn(expected), size: info.size, mtimeMs: info.mtimeMs };
      const key = keyOf(folder, real);
      const before = seen.get(key);
      if (before !== undefined && isSame(before, mark)) return before.right ? "whole" : "damaged";
      const note = await noted(key);
      if (note !== undefined && isSame(note, mark)) return "whole";
      if (info.size >= LARGE) say(`${path}: checking ${(info.size / 1e9).toFixed(1)} GB by their hash, this once`);
      const right = await isRight(real, expected, signal);
      if (right) await keep(key, mark);
      else seen.set(key, { ...mark, right });
      return right ? "whole" : "damaged";
    },
    async note(path, expected) {
      const { size, mtimeMs } = await stat(path);
      await keep(keyOf(folder, await realpath(path)), { hash: hashIn(expected), size, mtimeMs });
    },
  };
}

/** Whether a file has the hash that it should have. @throws DownloadStopped */
export async function isRight(path: string, expected: Expected, signal?: AbortSignal): Promise<boolean> {
  const { size, sha256 } = expected;
  const hash = createHash(sha256 === undefined ? "sha1" : "sha256");
  if (sha256 === undefined) hash.update(`blob ${size}\0`);
  const file = await open(path, "r");
  try {
    const buffer = Buffer.alloc(Math.min(CHUNK, size));
    for (let at = 0; at < size; at += buffer.byteLength) {
      checkStopped(signal);
      const part = buffer.subarray(0, Math.min(buffer.byteLength, size - at));
      if (!(await readFully(file, part, at))) return false;
      hash.update(part);
    }
  } finally {
    await file.close();
  }
  return hash.digest("hex") === hashIn(expected);
}

function hashIn({ sha256, gitHash }: Expected): string {
  return sha256 ?? gitHash;
}

/** A blob is named by its hash, in caches without listings too. */
function expectedByName(folder: string, path: string, size: number): Expected | undefined {
  const name = basename(path);
  if (basename(dirname(path)) !== "blobs" || relative(folder, path).startsWith("..")) return undefined;
  if (SHA256.test(name)) return { size, sha256: name, gitHash: "" };
  return SHA1.test(name) ? { size, gitHash: name } : undefined;
}

function keyOf(folder: string, path: string): string {
  return relative(folder, path).split(sep).join("/");
}

function isSame(a: Mark, b: Mark): boolean {
  return a.hash === b.hash && a.size === b.size && a.mtimeMs === b.mtimeMs;
}

/** What was noted by this process and others; nothing where that cannot be read. */
async function readNotes(folder: string): Promise<Readonly<Record<string, Mark>>> {
  try {
    return notesSchema.parse(JSON.parse(await readText(join(folder, NOTES))));
  } catch {
    return {};
  }
}
