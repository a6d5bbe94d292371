import { readdir, readFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import type { Files } from "./mutate.ts";

/** One of the program's readers, with small valid files for it. */
export interface Target {
  /** By their paths in the case's folder. */
  files(): Promise<Files>;
  /** Those that are not changed. */
  readonly kept?: RegExp;
  /** What its errors name where that is not a path in the case's folder. */
  readonly says?: string;
  /** Reads them as the program does. @returns all that was read: every number in it has to be finite, every text free of NaN */
  read(folder: string): Promise<unknown>;
}

/** The files of a folder, under a path in the case's. */
export async function filesOf(folder: string, under = "", wanted = /./): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = join(under, relative(folder, path)).split(sep).join("/");
    if (entry.isFile() && wanted.test(name)) files.set(name, await readFile(path));
  }
  return files;
}

/** Where a number that is none stands in what was read, or a text that shows one; undefined where all is well. */
export function oddity(value: unknown, path = "it"): string | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? undefined : `${path} is ${value}`;
  if (typeof value === "string") {
    const found = /.{0,40}(?:\bNaN\b|\bInfinity\b|\bundefined\b|\[object Object\]).{0,20}/.exec(value.slice(0, 1e7));
    return found === null ? undefined : `${path} says ${JSON.stringify(found[0])}`;
  }
  if (typeof value !== "object" || value === null) return undefined;
  if (ArrayBuffer.isView(value)) {
    const odd = Array.prototype.findIndex.call(value, (x: number) => !Number.isFinite(x));
    return odd < 0 ? undefined : `${path}[${odd}] is no number`;
  }
  const entries: Iterable<[unknown, unknown]> = value instanceof Map ? value : Object.entries(value);
  for (const [key, inner] of entries) {
    const found = oddity(inner, `${path}.${String(key)}`);
    if (found !== undefined) return found;
  }
  return undefined;
}
