import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { digestOf } from "./digest.ts";
import { ModelError } from "./errors.ts";
import { exists, reasonOf, writeFileAtomic } from "./files.ts";
import { MOST_BYTES, readText } from "./regular-files.ts";

/** In a folder, the SHA-256 of each of its files, in the form of `sha256sum`, which checks them too: `sha256sum -c SHA256SUMS`. */
export const SUMS_FILE = "SHA256SUMS";

/** Writes the sums of all files of a folder. */
export async function writeSums(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name !== SUMS_FILE).sort();
  const lines: string[] = [];
  for (const name of names) lines.push(`${await digestOf(join(folder, name))}  ${name}\n`);
  await writeFileAtomic(join(folder, SUMS_FILE), lines.join(""));
}

/**
 * Checks that the files of a folder are what they were when their sums were written. A folder without sums, of an earlier version, passes.
 * @param onBytes told how many bytes have been read since the last call
 * @throws ModelError naming the file that is damaged or gone
 */
export async function checkSums(folder: string, onBytes?: (count: number) => void): Promise<void> {
  const path = join(folder, SUMS_FILE);
  if (!(await exists(path))) return;
  const text = await readText(path, { atMost: MOST_BYTES.word }).catch((error: unknown) => {
    throw new ModelError(`${path}: ${reasonOf(error)}`, { cause: error });
  });
  for (const line of text.split("\n").filter((each) => each !== "")) {
    const [, expected, name] = /^([0-9a-f]{64}) {2}([^/\\]+)$/.exec(line) ?? [];
    if (name === undefined)
      throw new ModelError(
        `${path}: damaged: expected lines of a SHA-256 and a name, got ${JSON.stringify(line.slice(0, 80))}`,
      );
    const file = join(folder, name);
    const actual = await digestOf(file, { onBytes }).catch((error: unknown) => {
      throw new ModelError(`${file}: ${reasonOf(error)}`, { cause: error });
    });
    if (actual !== expected)
      throw new ModelError(`${file}: damaged: its content is not what was written (${SUMS_FILE} has another SHA-256)`);
  }
}
