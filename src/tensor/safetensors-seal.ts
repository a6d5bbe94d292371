import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { hashRange } from "../system/digest.ts";
import { ModelError } from "../system/errors.ts";
import { readFully, reasonOf } from "../system/files.ts";
import { withRegular } from "../system/regular-files.ts";
import type { Header } from "./safetensors-header.ts";

/**
 * A sealed safetensors file carries the SHA-256 of all its bytes in its own metadata, computed as if the digest's 64 digits were zeros. So
 * one file, put in place by one rename, says whether it is what was written.
 */
export const SEAL_KEY = "rpo_sha256";

/** What stands in the digest's place while it is computed. */
export const BLANK_SEAL = "0".repeat(64);

/** Where the digest begins in a header. Quotes within other texts are escaped, so that the key is found once. */
function placeOf(header: Uint8Array): number {
  const before = `"${SEAL_KEY}":"`;
  return Buffer.from(header.buffer, header.byteOffset, header.byteLength).indexOf(before) + before.length;
}

/** Writes the digest into a file that was written with {@link BLANK_SEAL}. @param header its first bytes, up to the data */
export async function seal(file: FileHandle, header: Uint8Array, digest: string): Promise<void> {
  await file.write(Buffer.from(digest), 0, BLANK_SEAL.length, placeOf(header));
}

/** A file whose header has been read. */
export interface SealedFile extends Pick<Header, "metadata"> {
  readonly path: string;
  /** Bytes of the whole file. */
  readonly size: number;
  /** Where the tensors' data begin: the bytes before are the header and its length. */
  readonly dataStart: number;
}

export interface IntactOptions {
  /** Whether a file without a seal is not what was written; those of earlier versions have none. */
  readonly required: boolean;
  /** Told how many bytes have been read since the last call. */
  readonly onBytes?: ((count: number) => void) | undefined;
}

/**
 * Whether a file is what was written.
 * @throws ModelError when it cannot be read
 */
export async function isIntact(
  { path, size, metadata, dataStart }: SealedFile,
  { required, onBytes }: IntactOptions,
): Promise<boolean> {
  const expected = metadata.get(SEAL_KEY);
  if (expected === undefined) return !required;
  return withRegular(path, { atMost: Infinity }, async (file) => {
    const header = Buffer.alloc(dataStart);
    if (!(await readFully(file, header, 0))) return false;
    header.write(BLANK_SEAL, placeOf(header), "latin1");
    const hash = createHash("sha256").update(header);
    await hashRange(hash, file, [dataStart, size], onBytes);
    return hash.digest("hex") === expected;
  }).catch((error: unknown) => {
    throw new ModelError(`${path}: ${reasonOf(error)}`, { cause: error });
  });
}
