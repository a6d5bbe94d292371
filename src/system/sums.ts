import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { digestOf } from "./digest.ts";
import { ModelError } from "./errors.ts";
import { exists, reasonOf, writeFileAtomic } from "./files.ts";
import { MOST_BYTES, readText } from "./regular-files.ts";

/** In a folder, the SHA-256 of each of its files, in the form of `sha256sum`, which checks them too: `sha256sum -c SHA256SUMS`. */
export const SUMS_FILE = "SHA256SUMS";

/** SHA-256 by name. */
export type Sums = ReadonlyMap<string, string>;

/** Writes the sums of those of a folder's files that are among `names`. */
export async function writeSums(folder: string, names: readonly string[]): Promise<void> {
  const there = (await readdir(folder)).filter((name) => name !== SUMS_FILE && names.includes(name)).sort();
  const lines: string[] = [];
  for (const name of there) lines.push(`${await digestOf(join(folder, name))}  ${name}\n`);
  await writeFileAtomic(join(folder, SUMS_FILE), lines.join(""));
}

/** The sums of a folder; undefined where it has none, "damaged" where they are of another form. @throws ModelError when the file cannot be read */
export async function readSums(folder: string): Promise<Sums | "damaged" | undefined> {
  const path = join(folder, SUMS_FILE);
  if (!(await exists(path))) return undefined;
  const text = await readText(path, { atMost: MOST_BYTES.word }).catch((error: unknown) => {
    throw new ModelError(`${path}: ${reasonOf(error)}`, { cause: error });
  });
  const sums = new Map<string, string>();
  for (const line of text.split("\n").slice(0, -1)) {
    const [, sum, name] = /^([0-9a-f]{64}) {2}([^/\\]+)$/.exec(line) ?? [];
    if (name === undefined) return "damaged";
    sums.set(name, sum);
  }
  return text.endsWith("\n") ? sums : "damaged";
}

/**
 * Checks that those of a folder's files that are among `names` are what they were when their sums were written, and that each has a sum.
 * @throws ModelError naming the file that is damaged or gone
 */
export async function checkSums(folder: string, sums: Sums, names: readonly string[]): Promise<void> {
  const there = (await readdir(folder)).filter((name) => name !== SUMS_FILE && names.includes(name));
  for (const name of new Set([...sums.keys(), ...there])) {
    const file = join(folder, name);
    const sum = sums.get(name);
    if (sum === undefined) throw new ModelError(`${join(folder, SUMS_FILE)}: damaged: it has no SHA-256 of ${name}`);
    const actual = await digestOf(file).catch((error: unknown) => {
      throw new ModelError((error as Error).message, { cause: error });
    });
    if (actual !== sum)
      throw new ModelError(`${file}: damaged: its content is not what was written (${SUMS_FILE} has another SHA-256)`);
  }
}
