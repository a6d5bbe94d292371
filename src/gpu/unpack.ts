import { createHash } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { pipeline, type Readable } from "node:stream";
import { createInflateRaw } from "node:zlib";
import { DownloadStopped } from "../hub/errors.ts";
import { sizeOf } from "../hub/stretch.ts";
import { cannotWrite, makeFolder, writeFully } from "../system/files.ts";
import { temporaryPath } from "../system/leftovers.ts";
import { dirname, join } from "node:path";
import type { RecordedFile } from "./metadata.ts";
import type { Member, Wheel } from "./wheel.ts";

export interface UnpackOptions {
  /** Where what has come so far is kept until the file is whole. */
  readonly downloads: string;
  readonly signal?: AbortSignal | undefined;
  /** Told how much of the packed file is there. */
  readonly onBytes: (done: number) => void;
}

/**
 * Brings a file of a wheel to its place, where it appears whole and with the hash of the wheel's RECORD, or not at all. What has come of it
 * stays in the folder of downloads, under its hash, for the next try.
 * @throws Error when it is not what the RECORD says; Unreachable, DownloadStopped
 */
export async function unpack(wheel: Wheel, member: Member, target: string, options: UnpackOptions): Promise<void> {
  const { downloads, onBytes } = options;
  await makeFolder(downloads);
  const part = join(downloads, `${member.sha256}.part`);
  const begin = await member.begin();
  const resumed = (await sizeOf(part)) > 0;
  for (let tries = resumed ? 2 : 1; ; tries--) {
    await wheel.bytes.bring(part, begin, member.packedBytes, onBytes);
    const problem = await inflate(part, member, target, options);
    await rm(part, { force: true });
    if (problem === undefined) return;
    // what an earlier try left may be at fault
    if (tries === 1)
      throw new Error(`${wheel.bytes.filename}: ${member.path}: ${problem}; it was thrown away; try again`);
  }
}

/** @returns what is wrong with what came, where something is */
async function inflate(
  part: string,
  { isDeflated, ...file }: Member,
  target: string,
  { signal }: UnpackOptions,
): Promise<string | undefined> {
  const source = await open(part, "r");
  try {
    const packed = source.createReadStream({ autoClose: false });
    // errors reach the last of the streams, which is read
    const unpacked = isDeflated ? pipeline(packed, createInflateRaw(), () => undefined) : packed;
    return await writeChecked(unpacked, file, target, { signal });
  } finally {
    await source.close();
  }
}

/**
 * Writes a file that is read from somewhere, and lets it appear when its size and its hash are right.
 * @returns what is wrong with it, where something is
 */
export async function writeChecked(
  source: Readable,
  { size, sha256 }: RecordedFile,
  target: string,
  { signal, onBytes }: Pick<UnpackOptions, "signal"> & Partial<UnpackOptions>,
): Promise<string | undefined> {
  await makeFolder(dirname(target));
  const temporary = await temporaryPath(target);
  const hash = createHash("sha256");
  let done = 0;
  try {
    const file = await open(temporary, "wx").catch((error: unknown) => {
      throw cannotWrite(target, error);
    });
    try {
      for await (const bytes of source as AsyncIterable<Buffer>) {
        if (signal?.aborted === true) throw new DownloadStopped();
        done += bytes.byteLength;
        if (done > size) return `it has more than the ${size} bytes that its RECORD says`;
        hash.update(bytes);
        await writeFully(file, bytes).catch((error: unknown) => {
          throw cannotWrite(target, error);
        });
        onBytes?.(done);
      }
      await file.sync();
    } finally {
      await file.close();
    }
    if (done !== size) return `it has ${done} bytes, expected ${size}`;
    if (hash.digest("hex") !== sha256) return "it has not the SHA-256 of its RECORD";
    await rename(temporary, target).catch((error: unknown) => {
      throw cannotWrite(target, error);
    });
    return undefined;
  } catch (error) {
    if (isOfZlib(error)) return `it cannot be unpacked (${error.code})`;
    throw error;
  } finally {
    source.on("error", () => undefined).destroy();
    await rm(temporary, { force: true });
  }
}

function isOfZlib(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "code" in error && typeof error.code === "string" && error.code.startsWith("Z_");
}
