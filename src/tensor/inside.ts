import { posix, win32 } from "node:path";

/** Whether a path that a file names stays in the file's own folder: such files come from others too. */
export function staysInside(path: string): boolean {
  return !posix.isAbsolute(path) && !win32.isAbsolute(path) && !path.split(/[\\/]/).includes("..");
}
