import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { CHECKPOINTS } from "../runs/folder.ts";
import { UsageError } from "../system/errors.ts";
import { say, setting } from "../system/message.ts";
import { exists } from "../system/files.ts";

/** Paths that settings name: their checks before any long work, and names made of them. */

/** @param name of the setting. @throws UsageError unless `path` is a folder; `expected` says what it should hold */
export async function checkFolder(name: string, path: string, expected: string): Promise<void> {
  const info = await stat(path).catch(() => undefined);
  if (info?.isDirectory() === true) return;
  if (info === undefined)
    throw new UsageError(say`${setting(name, path)}: no such folder (expected ${expected})${tildeHint(path)}`);
  const folder = PICTURE.test(path) ? `; give its folder, ${dirname(path)}` : "";
  throw new UsageError(say`${setting(name, path)}: expected ${expected}, but it is a file${folder}`);
}

/** Of a folder that holds one picture, a shell makes that picture of `photos/*`. */
const PICTURE = /\.(?:jpe?g|png|webp|avif|tiff?|gif|heic)$/i;

/** A shell puts the home folder in the place of a ~ that is not within quotes. */
function tildeHint(path: string): string {
  return /^~|[\\/]~[\\/]/.test(path) ? "; ~ stands for the home folder only outside of quotes" : "";
}

export async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() === true;
}

/** @throws UsageError where there is something already */
export async function checkAbsent(output: string): Promise<void> {
  if (await exists(output)) throw new UsageError(say`${setting("output", output)} exists; choose another`);
}

/** @throws UsageError unless a folder is there, or can be made, and takes files */
export async function checkOutput(path: string): Promise<void> {
  let nearest = resolve(path);
  for (;;) {
    const info = await stat(nearest).catch((error: unknown) => (error as NodeJS.ErrnoException).code);
    if (typeof info === "object" && info.isDirectory()) break;
    if (info !== "ENOENT" && info !== "ENOTDIR")
      throw new UsageError(
        say`${setting("output", path)}: ${typeof info === "object" ? "not a folder" : `no access (${info})`}`,
      );
    if (dirname(nearest) === nearest) throw new UsageError(say`${setting("output", path)}: no such drive`);
    nearest = dirname(nearest);
  }
  await access(nearest, constants.W_OK).catch(() => {
    throw new UsageError(say`${setting("output", path)}: ${nearest} cannot be written to`);
  });
}

/**
 * runs/dog-1, runs/dog-2, ...
 * @param isTaken whether a folder that is not there yet is meant for something else
 */
export async function freeOutput(
  className: string,
  root = "runs",
  isTaken: (folder: string) => boolean = () => false,
): Promise<string> {
  const stem = outputStem(className);
  for (let n = 1; ; n++) {
    const folder = join(root, `${stem}-${n}`);
    if (!(await exists(folder)) && !isTaken(folder)) return folder;
  }
}

/** A class word as a folder's name: "corgi dog" as "corgi-dog". */
export function outputStem(className: string): string {
  const stem = className
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
  return stem === "" ? "subject" : stem;
}

/** What was trained by its name, not by its place: RUN-000080 of a run's checkpoint, which is what `rpo export --format kohya` calls it. */
export function trainedName(path: string): string {
  const folder = dirname(resolve(path));
  return basename(folder) === CHECKPOINTS ? `${basename(dirname(folder))}-${basename(path)}` : basename(path);
}
