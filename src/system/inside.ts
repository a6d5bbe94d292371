import { realpathSync } from "node:fs";
import { isAbsolute, join, posix, relative, sep, win32 } from "node:path";
import { UsageError } from "./errors.ts";
import { reasonOf } from "./files.ts";

/** Whether a path that a file names stays in the file's own folder: such files come from others too. */
export function staysInside(path: string): boolean {
  return !posix.isAbsolute(path) && !win32.isAbsolute(path) && !path.split(/[\\/]/).includes("..");
}

/**
 * The path, with all links followed, of a file or folder within a folder that may come from others. A path that leads out of it is refused:
 * a report or an export that is made from the folder and sent on must hold no other files of the person who made it.
 *
 * @returns undefined where there is no such file
 * @throws UsageError when it leads out of the folder
 */
export function insideOf(folder: string, path: string): string | undefined {
  const whole = join(folder, path);
  let real;
  try {
    real = relative(realpathSync(folder), realpathSync(whole));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new UsageError(`${whole}: ${reasonOf(error)}`, { cause: error });
  }
  if (real === ".." || real.startsWith(`..${sep}`) || isAbsolute(real))
    throw new UsageError(
      `${whole}: it leads out of ${folder}, of which nothing but its own files is used; put the file itself there`,
    );
  return whole;
}

/** Whether {@link insideOf} refuses a path. */
export function leadsOut(folder: string, path: string): boolean {
  try {
    insideOf(folder, path);
    return false;
  } catch {
    return true;
  }
}
