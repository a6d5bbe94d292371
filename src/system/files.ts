import { access, mkdir, open, rename, rm, stat, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { ModelError } from "./errors.ts";
import { parseJson, type Failure } from "./json.ts";
import { removeLeftovers, temporaryPath } from "./leftovers.ts";
import { readText } from "./regular-files.ts";

/** Node refuses to read or write more than 2 GiB at once. */
const MAX_TRANSFER = 2 ** 30;

/**
 * Writes a file so that at every instant, a power cut included, `path` holds either its old content or all of the new.
 *
 * The content goes to a temporary file beside `path`, is flushed to the disk, and takes the place of `path` by a rename, which is
 * flushed too. On failure the temporary file is removed; one left by a process that was killed is removed by the next write
 * into the folder.
 *
 * @param content The bytes or text, or a function that writes them to the open file piece by piece (large files).
 * @example
 * await writeFileAtomic("big.bin", async (file) => { for (const part of parts) await writeFully(file, part); });
 */
export async function writeFileAtomic(
  path: string,
  content: string | Uint8Array | ((file: FileHandle) => Promise<void>),
): Promise<void> {
  await removeLeftovers(dirname(path));
  const temporary = await temporaryPath(path);
  try {
    const file = await open(temporary, "wx");
    try {
      if (typeof content === "function") await content(file);
      else await writeFully(file, typeof content === "string" ? Buffer.from(content) : content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw codeOf(error) === undefined ? error : cannotWrite(path, error);
  }
  await syncFolder(dirname(path));
}

/**
 * Makes a folder and those above it, if they are not there.
 *
 * Node's own recursive mkdir never returns where the system answers ENOENT for a folder that is there, as /proc does.
 * @throws Error naming the folder and why it cannot be made
 */
export async function makeFolder(path: string): Promise<void> {
  if ((await stat(path).catch(() => undefined))?.isDirectory() === true) return;
  if (dirname(path) !== path) await makeFolder(dirname(path));
  await mkdir(path).catch((error: unknown) => {
    // another process may have been faster
    if (codeOf(error) !== "EEXIST") throw cannotWrite(path, error);
  });
}

/** Whether a file or folder is there. */
export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** An error for a file or folder that the disk does not take. */
export function cannotWrite(path: string, error: unknown): Error {
  return new Error(`${path}: cannot be written: ${reasonOf(error)}`, { cause: error });
}

/** Appends all of `bytes` at the file's position. */
export async function writeFully(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.byteLength;) {
    const { bytesWritten } = await file.write(bytes, done, Math.min(MAX_TRANSFER, bytes.byteLength - done));
    done += bytesWritten;
  }
}

/** Fills `bytes` from `position` of the file on; false if the file ends before. */
export async function readFully(file: FileHandle, bytes: Uint8Array, position: number): Promise<boolean> {
  for (let done = 0; done < bytes.byteLength;) {
    const length = Math.min(MAX_TRANSFER, bytes.byteLength - done);
    const { bytesRead } = await file.read(bytes, done, length, position + done);
    if (bytesRead === 0) return false;
    done += bytesRead;
  }
  return true;
}

/**
 * A JSON file's value.
 *
 * @param Failure The error to throw: {@link ModelError} for a model's files, UsageError for the caller's own.
 * @throws Failure if the file is missing, no regular file, too large, unreadable or not JSON; the message begins with the path.
 */
export async function readJson(path: string, Failure: Failure = ModelError): Promise<unknown> {
  let text: string;
  try {
    text = await readText(path);
  } catch (error) {
    throw new Failure(`${path}: ${reasonOf(error)}`, { cause: error });
  }
  try {
    return parseJson(text);
  } catch (error) {
    throw new Failure(`${path}: expected JSON, but ${reasonOf(error)}`, { cause: error });
  }
}

/** Copies a model's configuration or vocabulary, atomically, in UTF-8 without a mark as other programs read it. @throws ModelError when it is missing, no regular file, no text or too large */
export async function copyText(from: string, to: string): Promise<void> {
  const text = await readText(from).catch((error: unknown) => {
    throw new ModelError(`${from}: ${reasonOf(error)}`, { cause: error });
  });
  await writeFileAtomic(to, text);
}

/** Writes `value` as indented JSON with a final newline, atomically. */
export async function writeJson(path: string, value: unknown): Promise<void> {
  await writeFileAtomic(path, `${JSON.stringify(value, undefined, 2)}\n`);
}

/** Why a file could not be read, in words that fit after its path. */
export function reasonOf(error: unknown): string {
  const code = codeOf(error);
  if (code === "ENOENT") return "no such file";
  if (code === "EISDIR") return "expected a file, but it is a folder";
  if (code === "ENOTDIR") return "a part of the path is a file, not a folder";
  if (code === "EACCES" || code === "EPERM") return "permission denied";
  if (code === "ENOSPC" || code === "EDQUOT") return "no space is left on the disk";
  if (code === "EROFS") return "the file system is read-only";
  return error instanceof Error ? error.message.replace(/\s+/g, " ").slice(0, 200) : String(error);
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

/** Flushes what a folder lists, so that a rename in it outlasts a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  // Windows cannot open folders, and needs no flush for a rename
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
