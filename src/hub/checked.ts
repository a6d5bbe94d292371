import { createHash } from "node:crypto";
import { realpath, stat } from "node:fs/promises";
import { basename, dirname, relative, sep } from "node:path";
import { bytesText } from "../system/bytes-text.ts";
import { hashRange } from "../system/digest.ts";
import { withRegular } from "../system/regular-files.ts";
import { isSame, notesOf, type Mark } from "./checked-notes.ts";
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
 * size or its time of change is another; what was seen is noted.
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

const LARGE = 2 ** 29;

/** What this process has seen, by the contents' paths, links resolved; damaged ones too. */
const seen = new Map<string, Mark & { readonly right: boolean }>();

/** @param folder models--owner--name */
export function checkedContents(folder: string, { signal, say }: CheckedOptions): Checked {
  const notes = notesOf(folder);

  async function keep(real: string, mark: Mark): Promise<void> {
    seen.set(real, { ...mark, right: true });
    const isKept = await notes.keep(keyOf(folder, real), mark);
    if (!isKept && mark.size >= LARGE)
      say(`${real}: neither its folder nor the user's cache can be written to, so that it is checked at every start`);
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
      const before = seen.get(real);
      if (before !== undefined && isSame(before, mark)) return before.right ? "whole" : "damaged";
      if (await notes.has(keyOf(folder, real), mark)) return "whole";
      if (info.size >= LARGE) say(`${path}: checking ${bytesText(info.size)} by their hash, this once`);
      const right = await isRight(real, expected, signal);
      if (right) await keep(real, mark);
      else seen.set(real, { ...mark, right });
      return right ? "whole" : "damaged";
    },
    async note(path, expected) {
      const { size, mtimeMs } = await stat(path);
      await keep(await realpath(path), { hash: hashIn(expected), size, mtimeMs });
    },
  };
}

/** Whether a file has the hash that it should have. @throws DownloadStopped */
export async function isRight(path: string, expected: Expected, signal?: AbortSignal): Promise<boolean> {
  const { size, sha256 } = expected;
  const hash = createHash(sha256 === undefined ? "sha1" : "sha256");
  if (sha256 === undefined) hash.update(`blob ${size}\0`);
  checkStopped(signal);
  return withRegular(path, { atMost: Infinity }, async (file, bytes) => {
    if (bytes < size) return false;
    await hashRange(hash, file, [0, size], () => checkStopped(signal));
    return hash.digest("hex") === hashIn(expected);
  });
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
