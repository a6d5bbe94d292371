import { createHash, type Hash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { readFully, reasonOf } from "./files.ts";
import { withRegular, type Bound } from "./regular-files.ts";

const CHUNK_BYTES = 4 * 2 ** 20;

/** Feeds the bytes of a file from `begin` up to `end` to a hash. @param onBytes told how many have been read since the last call */
export async function hashRange(
  hash: Hash,
  file: FileHandle,
  [begin, end]: readonly [begin: number, end: number],
  onBytes: (count: number) => void = () => undefined,
): Promise<void> {
  const buffer = new Uint8Array(Math.max(0, Math.min(CHUNK_BYTES, end - begin)));
  for (let at = begin; at < end; at += buffer.byteLength) {
    const part = buffer.subarray(0, Math.min(buffer.byteLength, end - at));
    if (!(await readFully(file, part, at))) throw new Error("the file became shorter while it was read");
    hash.update(part);
    onBytes(part.byteLength);
  }
}

/** The SHA-256 of a file, as `sha256sum` prints it; about a second per GB. @throws Error with the file and the reason */
export async function digestOf(path: string, { atMost }: Bound = { atMost: Infinity }): Promise<string> {
  return withRegular(path, { atMost }, async (file, size) => {
    const hash = createHash("sha256");
    await hashRange(hash, file, [0, size]);
    return hash.digest("hex");
  }).catch((error: unknown) => {
    throw new Error(`${path}: ${reasonOf(error)}`, { cause: error });
  });
}
