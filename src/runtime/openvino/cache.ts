import { createHash } from "node:crypto";
import { lstat, mkdir, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { UsageError } from "../../system/errors.ts";
import { userCache, type Environment } from "../../system/user-cache.ts";

/**
 * Compiled models on the disk, for compiling takes seconds. OpenVINO names and reads them; here is where they go, and how many there are.
 *
 * What is read from there is run, so the folders are the user's alone.
 */

/** What compiled models are for: others cannot use them. */
export interface CacheKey {
  /** OpenVINO's version. */
  readonly version: string;
  readonly precision: string;
  /** The processor, and what it can do. */
  readonly processor: string;
}

/** All compiled models together. */
const MOST_BYTES = 2e9;

/** The user's compiled models of all kinds. */
export function cacheHome(env?: Environment): string {
  return join(userCache(env), "openvino");
}

/**
 * The folder for compiled models of a kind, which is made.
 * @returns undefined where none can be made: then models are compiled anew
 * @throws UsageError when it is not the user's alone
 */
export async function cacheFolder(
  { version, precision, processor }: CacheKey,
  home = cacheHome(),
): Promise<string | undefined> {
  const folder = join(home, `${version}-${precision}-${digest(processor)}`);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch {
    return undefined;
  }
  for (const each of [home, folder]) await checkOwn(each);
  return folder;
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}

/** @throws UsageError when others can write there, or made it */
async function checkOwn(folder: string): Promise<void> {
  const found = await lstat(folder);
  const user = process.getuid?.();
  if (user === undefined) return; // Windows: a user's cache is the user's
  const OTHERS_WRITE = 0o022;
  if (found.isDirectory() && found.uid === user && (found.mode & OTHERS_WRITE) === 0) return;
  throw new UsageError(
    `${folder}: expected a folder that only you can write to, for the compiled models in it are run as programs are; remove it, and it is made anew`,
  );
}

/** Removes the oldest compiled models until the others are small enough together. Another process may do the same. */
export async function trimCache(home = cacheHome(), mostBytes = MOST_BYTES): Promise<void> {
  const files = await compiledModels(home);
  let bytes = files.reduce((sum, { size }) => sum + size, 0);
  for (const { path, size } of files.sort((a, b) => a.mtimeMs - b.mtimeMs)) {
    if (bytes <= mostBytes) return;
    // one that is in use somewhere can stay there (Windows)
    await rm(path, { force: true }).catch(() => undefined);
    bytes -= size;
  }
}

interface Found {
  readonly path: string;
  readonly size: number;
  readonly mtimeMs: number;
}

async function compiledModels(home: string): Promise<Found[]> {
  const found: Found[] = [];
  for (const folder of await namesIn(home))
    for (const name of await namesIn(join(home, folder))) {
      const path = join(home, folder, name);
      const file = await stat(path).catch(() => undefined);
      if (file?.isFile() === true) found.push({ path, size: file.size, mtimeMs: file.mtimeMs });
    }
  return found;
}

function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
