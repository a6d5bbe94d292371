import { open } from "node:fs/promises";
import { decodeText } from "./decode-text.ts";
import { UsageError } from "./errors.ts";
import { reasonOf } from "./files.ts";
import { MOST_BYTES, readBytes } from "./regular-files.ts";

/** A file of lines that grows: what is in it stays, whatever happens while one is added. */
export interface LineFile {
  /** Adds a line, flushed to the disk; calls wait for those before them. @throws Error when the disk does not take it: then nothing was added */
  append(line: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * The whole lines of a file, none where it is not there, and how many bytes they take. A last line that was cut in the middle is left out.
 * @throws UsageError when the file cannot be read
 */
export async function readLines(path: string): Promise<{ lines: string[]; length: number }> {
  const bytes = await readBytes(path, { atMost: MOST_BYTES.log }).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return Buffer.alloc(0);
    throw new UsageError(`${path}: cannot be read: ${reasonOf(error)}`, { cause: error });
  });
  const length = bytes.lastIndexOf("\n") + 1;
  try {
    return { lines: decodeText(bytes.subarray(0, length)).split("\n").slice(0, -1), length };
  } catch (error) {
    throw new UsageError(`${path}: ${reasonOf(error)}`, { cause: error });
  }
}

/** Opens a file for more lines; a last line that was cut in the middle is dropped. @param length of the whole lines */
export async function openLines(path: string, length: number): Promise<LineFile> {
  const file = await open(path, "a");
  let whole = length;
  await file.truncate(whole);
  let last: Promise<void> = Promise.resolve();
  const write = async (line: string): Promise<void> => {
    const bytes = Buffer.from(`${line}\n`);
    try {
      await file.appendFile(bytes);
      await file.sync();
    } catch (error) {
      await file.truncate(whole).catch(() => undefined);
      throw error;
    }
    whole += bytes.length;
  };
  return {
    append(line) {
      const written = last.then(() => write(line));
      last = written.catch(() => undefined);
      return written;
    },
    async close() {
      await last;
      await file.close();
    },
  };
}
