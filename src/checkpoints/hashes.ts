import { createHash } from "node:crypto";
import { stat, type FileHandle } from "node:fs/promises";
import { relative } from "node:path";
import { hashRange } from "../system/digest.ts";
import { ModelError } from "../system/errors.ts";
import { readFully, reasonOf } from "../system/files.ts";
import { entriesBelow } from "../system/folder-tree.ts";
import { withRegular } from "../system/regular-files.ts";

const MIB = 2 ** 20;
const SAMPLES = 64;

const known = new Map<string, string>();

/**
 * The SHA-256 of a file, as `sha256sum` prints it; about a second per GB. Remembered within the process while path, size and time
 * of change stay the same.
 *
 * @throws ModelError if the file cannot be read.
 */
export async function sha256(path: string): Promise<string> {
  return remembered("sha256", path, (file, size, hash) => hashRange(hash, file, [0, size]));
}

/**
 * A quick mark of a large file: the SHA-256 of its size, its first and last MiB and 64 samples of 64 KiB spread evenly between.
 *
 * Takes milliseconds whatever the size. Tells checkpoints apart for a run's record and for resuming; a change that misses every
 * sample goes unseen, so that it proves nothing against forgery.
 *
 * @throws ModelError if the file cannot be read.
 */
export async function fingerprint(path: string): Promise<string> {
  return remembered("fingerprint", path, async (file, size, hash) => {
    hash.update(`${size}:`);
    const sample = async (at: number, length: number): Promise<void> => {
      const part = new Uint8Array(Math.max(0, Math.min(length, size - at)));
      if (!(await readFully(file, part, at))) throw new Error("the file became shorter while it was read");
      hash.update(part);
    };
    await sample(0, MIB);
    for (let i = 1; i <= SAMPLES; i++) await sample(Math.floor((size * i) / (SAMPLES + 1)), MIB / 16);
    await sample(Math.max(0, size - MIB), MIB);
  });
}

async function remembered(
  kind: string,
  path: string,
  feed: (file: FileHandle, size: number, hash: ReturnType<typeof createHash>) => Promise<void>,
): Promise<string> {
  try {
    const { size, mtimeMs } = await stat(path);
    const key = JSON.stringify([kind, path, size, mtimeMs]);
    const before = known.get(key);
    if (before !== undefined) return before;
    const hash = createHash("sha256");
    await withRegular(path, { atMost: Infinity }, (file) => feed(file, size, hash));
    const digest = hash.digest("hex");
    known.set(key, digest);
    return digest;
  } catch (error) {
    throw new ModelError(`${path}: ${reasonOf(error)}`, { cause: error });
  }
}

/** A line for each file below a folder whose path there matches: that path and its fingerprint. */
export async function describeFiles(folder: string, paths: RegExp): Promise<string[]> {
  const files = (await entriesBelow(folder))
    .filter(({ entry }) => !entry.isDirectory())
    .map(({ path }) => path)
    .filter((path) => paths.test(relative(folder, path)))
    .sort();
  const lines = [];
  for (const path of files) lines.push(`${relative(folder, path)} ${await fingerprint(path)}`);
  return lines;
}
