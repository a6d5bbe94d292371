import { closeSync, constants, fstatSync, openSync, readSync, statSync, type Stats } from "node:fs";
import { open, stat, type FileHandle } from "node:fs/promises";
import { bytesText } from "./bytes-text.ts";
import { decodeText } from "./decode-text.ts";

/**
 * How files that may come from others are opened: regular files only, and no more of them than expected. A pipe would be waited for without
 * end, and a device may never end.
 *
 * Errors hold the reason alone; who knows what the file is for puts its path before it (`reasonOf`).
 */
export interface Bound {
  /** The most bytes that a file of this kind has. */
  readonly atMost: number;
}

const MB = 1e6;

/** Far more than files of these kinds have that people work with. */
export const MOST_BYTES = {
  /** A line or two: a token, a commit's name. */
  word: 64e3,
  /** Configurations, prompts, tokenizers, lists of a folder's pictures: CLIP's tokenizer.json has 4 MB; parsed, JSON of 16 may take 900. */
  text: 16 * MB,
  /** A log of a million steps has 170 MB; what is longer does not fit into a string. */
  log: 512 * MB,
  /** More than any whole model of the kinds that it is for. */
  lora: 8e9,
  /** 100 megapixels, uncompressed. */
  picture: 320 * MB,
} as const;

// a pipe that takes the file's place after it was looked at is opened without waiting; Windows has neither flag nor need
const FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOCTTY ?? 0);

/**
 * Opens a file for `use` and closes it again.
 * @throws Error with the reason when it is missing, no regular file or larger than expected
 */
export async function withRegular<T>(
  path: string,
  { atMost }: Bound,
  use: (file: FileHandle, size: number) => Promise<T>,
): Promise<T> {
  // opening a device may already do something to it
  check(await stat(path), atMost);
  const file = await open(path, FLAGS);
  try {
    return await use(file, check(await file.stat(), atMost));
  } finally {
    await file.close();
  }
}

/** All bytes that a file had when it was opened: one that grows meanwhile is read up to there. @throws Error with the reason */
export async function readBytes(path: string, bound: Bound): Promise<Buffer<ArrayBuffer>> {
  return withRegular(path, bound, async (file, size) => {
    const bytes = Buffer.alloc(size);
    let done = 0;
    for (let read = 1; read > 0 && done < size; done += read)
      ({ bytesRead: read } = await file.read(bytes, done, size - done, done));
    return bytes.subarray(0, done);
  });
}

/** The first bytes of a file of any size, at most `length`. @throws Error with the reason */
export async function readBeginning(path: string, length: number): Promise<Buffer<ArrayBuffer>> {
  return withRegular(path, { atMost: Infinity }, async (file, size) => {
    const bytes = Buffer.alloc(Math.min(length, size));
    const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
    return bytes.subarray(0, bytesRead);
  });
}

/** The last bytes of a file of any size, at most `length`, as text: a letter that is cut at the beginning is none. @throws Error with the reason */
export async function readEnd(path: string, length: number): Promise<string> {
  return withRegular(path, { atMost: Infinity }, async (file, size) => {
    const bytes = Buffer.alloc(Math.min(length, size));
    const { bytesRead } = await file.read(bytes, 0, bytes.length, size - bytes.length);
    return bytes.subarray(0, bytesRead).toString("utf8");
  });
}

/** {@link readBytes} at once. */
export function readBytesSync(path: string, { atMost }: Bound): Buffer<ArrayBuffer> {
  check(statSync(path), atMost);
  const file = openSync(path, FLAGS);
  try {
    const size = check(fstatSync(file), atMost);
    const bytes = Buffer.alloc(size);
    let done = 0;
    for (let read = 1; read > 0 && done < size; done += read) read = readSync(file, bytes, done, size - done, done);
    return bytes.subarray(0, done);
  } finally {
    closeSync(file);
  }
}

/** A file's text, see {@link decodeText}. @throws Error with the reason */
export async function readText(path: string, bound: Bound = { atMost: MOST_BYTES.text }): Promise<string> {
  return decodeText(await readBytes(path, bound));
}

/** {@link readText} at once. */
export function readTextSync(path: string, bound: Bound = { atMost: MOST_BYTES.text }): string {
  return decodeText(readBytesSync(path, bound));
}

/** @returns the size @throws Error that says what it is instead of a file of at most so many bytes */
function check(info: Stats, atMost: number): number {
  if (!info.isFile()) throw new Error(`expected a file, but it is ${kindOf(info)}`);
  if (info.size > atMost)
    throw new Error(`the file has ${bytesText(info.size)}, expected at most ${bytesText(atMost)}`);
  return info.size;
}

function kindOf(info: Stats): string {
  if (info.isDirectory()) return "a folder";
  if (info.isFIFO()) return "a named pipe";
  if (info.isSocket()) return "a socket";
  return "a device";
}
