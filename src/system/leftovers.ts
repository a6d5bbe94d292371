import { randomBytes } from "node:crypto";
import { lstat, readdir, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fateOf, thisMachine, thisProcess } from "./processes.ts";

/**
 * Names of files and folders that are still being written. They name the process, so that whoever next writes beside them can tell what a
 * killed one has left, and removes it.
 *
 *     .NAME.PID-MACHINE-BIRTH-RANDOM.tmp
 */
const TEMPORARY = /^\..+\.(\d+)-([0-9a-f]{8})-([0-9a-f]{12})-[0-9a-f]{8}\.tmp$/;
/** As version 0.1.0 named them: the process may be another machine's. */
const EARLIER = /^\..+\.\d+-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.tmp$/;

/** Where the system does not tell of a process's start. */
const NO_BIRTH = "0".repeat(12);

/** A file of an unknown process counts as left over when nobody has written to it for this long. */
const OLD_MS = 60 * 60 * 1000;

/** A temporary name beside `path`, for what will be renamed to `path`. */
export async function temporaryPath(path: string): Promise<string> {
  const { pid, birth = NO_BIRTH } = await thisProcess();
  const mark = [pid, await thisMachine(), birth, randomBytes(4).toString("hex")].join("-");
  return join(dirname(path), `.${basename(path)}.${mark}.tmp`);
}

/**
 * Removes what killed processes left in a folder; what cannot be removed stays.
 * @param isEarlier for names that an earlier version gave, which do not tell whose they are
 */
export async function removeLeftovers(
  folder: string,
  isEarlier: (name: string) => boolean = () => false,
): Promise<void> {
  for (const path of await leftoversIn(folder, isEarlier))
    await rm(path, { recursive: true, force: true }).catch(() => undefined);
}

/** What {@link removeLeftovers} removes; nothing where there is no folder. */
export async function leftoversIn(
  folder: string,
  isEarlier: (name: string) => boolean = () => false,
): Promise<string[]> {
  const names = await readdir(folder).catch((): string[] => []);
  const left: string[] = [];
  for (const name of names) if (await isLeft(join(folder, name), isEarlier)) left.push(join(folder, name));
  return left;
}

/** Whether nobody has written to a file, or to anything in a folder: its own time stands still while files deep in it grow. */
async function isOld(path: string): Promise<boolean> {
  try {
    const info = await lstat(path);
    if (Date.now() - info.mtimeMs <= OLD_MS) return false;
    if (info.isDirectory()) for (const name of await readdir(path)) if (!(await isOld(join(path, name)))) return false;
    return true;
  } catch {
    // it has just gone, or may not be read: somebody is working with it
    return false;
  }
}

async function isLeft(path: string, isEarlier: (name: string) => boolean): Promise<boolean> {
  const name = basename(path);
  const [, pid, host, birth] = TEMPORARY.exec(name) ?? [];
  if (pid === undefined && !EARLIER.test(name) && !isEarlier(name)) return false;
  if (host !== (await thisMachine())) return isOld(path);
  return (await fateOf({ pid: Number(pid), birth: birth === NO_BIRTH ? undefined : birth })) === "dead";
}
