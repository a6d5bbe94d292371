import { copyFile, mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { RESULT_FILE } from "./files.ts";
import { EVENTS_FILE } from "../runs/folder.ts";
import { PREVIOUS_FILE, WEIGHTS_FILE } from "../runs/state.ts";
import { UsageError } from "../system/errors.ts";
import { exists, readJson, writeJson } from "../system/files.ts";
import { LOCK_FILE } from "../system/lock.ts";

/**
 * The folders that tasks work in. A task works in <folder>.<machine>-<pid>-<n>, a name of its own, and puts the whole in place by renaming it, so that
 * a folder that is there is finished, and the first of two that did the same work wins.
 *
 * What a dead worker left is taken over by renaming it too. Should that worker live after all (its machine slept, its network was gone), it
 * finds its files gone and fails, and cannot write into what another goes on with: that is why the log, which it holds open, is replaced by
 * a copy.
 *
 * Only names of that form are taken over or removed: a copy that somebody made beside, as <folder>.bak, is theirs.
 */

export function workFolder(folder: string, { machine, pid, n }: Worker): string {
  return `${folder}.${machine.replace(/[^\w-]/g, "-")}-${pid}-${n}`;
}

/** What {@link workFolder} puts behind a folder's name. */
const WORKER = /^\.[\w-]*-\d+-\d+$/;

interface Worker {
  readonly machine: string;
  readonly pid: number;
  /** Of the tasks that the process began. */
  readonly n: number;
}

/** The result of a finished task; undefined when it has not been done. @throws UsageError when the file is damaged */
export async function readResult(folder: string): Promise<unknown> {
  const path = join(folder, RESULT_FILE);
  if (!(await exists(path))) return undefined;
  return readJson(path, UsageError).catch((error: unknown) => {
    throw new UsageError(`${path} is damaged; remove the folder, and its work is done again`, { cause: error });
  });
}

/** Makes the folder to work in, with what an earlier worker left of the same task if there is any. */
export async function takeOver(folder: string, work: string): Promise<void> {
  await mkdir(dirname(folder), { recursive: true });
  for (const left of await leftovers(folder)) {
    const taken = await rename(left, work).then(
      () => true,
      () => false, // another took it first
    );
    if (!taken) continue;
    // of whoever worked there: the folder is no longer theirs, alive or not
    await rm(join(work, LOCK_FILE), { force: true });
    const log = join(work, EVENTS_FILE);
    if (await exists(log)) {
      await copyFile(log, `${log}.copy`);
      await rename(`${log}.copy`, log);
    }
    return;
  }
  await mkdir(work, { recursive: true });
}

/**
 * Puts a finished task in place. A folder without a result that has its name is moved aside: somebody took the result out in order to have
 * it made again, and may have put other things in.
 * @returns its result, or that of another who was first
 * @throws when it cannot be put there: the work stays where it is, and the next try goes on with it
 */
export async function publish(folder: string, work: string, result: unknown): Promise<unknown> {
  await writeJson(join(work, RESULT_FILE), result);
  if (await isUnfinished(folder)) await moveAside(folder);
  const published = await rename(work, folder).then(
    () => result,
    async (error: unknown) => {
      const others = await readResult(folder);
      if (others === undefined) throw error;
      return others;
    },
  );
  await clear(folder);
  return published;
}

/** Clears all finished tasks in a folder: a worker that was killed when it had published may not have done so. */
export async function clearFinished(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch((): string[] => [])) {
    const task = join(folder, name);
    if (!name.includes(".") && (await exists(join(task, RESULT_FILE)))) await clear(task);
  }
}

/** Removes what nobody needs once a task is finished: folders of other workers that did it too, and files that only resuming needs. */
async function clear(folder: string): Promise<void> {
  for (const left of await leftovers(folder)) await rm(left, { recursive: true, force: true });
  // large
  for (const state of [WEIGHTS_FILE, PREVIOUS_FILE]) await rm(join(folder, state), { force: true });
}

/** Whether somebody took the result out of a folder in order to have it made again. */
async function isUnfinished(folder: string): Promise<boolean> {
  const isFolder = (await stat(folder).catch(() => undefined))?.isDirectory() === true;
  return isFolder && (await readResult(folder)) === undefined;
}

/** To <folder>.replaced, or a name with a number behind it. */
async function moveAside(folder: string): Promise<void> {
  let aside = `${folder}.replaced`;
  for (let n = 2; await exists(aside); n++) aside = `${folder}.replaced-${n}`;
  // where it cannot be moved, the work cannot be put in its place either, which says so; another may have moved it
  await rename(folder, aside).catch(() => undefined);
}

/** Folders of workers that did not finish the task, the most recently written first. */
async function leftovers(folder: string): Promise<string[]> {
  const key = basename(folder);
  const names = (await readdir(dirname(folder))).filter(
    (name) => name.startsWith(key) && WORKER.test(name.slice(key.length)),
  );
  const found = await Promise.all(
    names.map(async (name) => {
      const path = join(dirname(folder), name);
      return { path, changed: (await stat(path).catch(() => undefined))?.mtimeMs ?? 0 };
    }),
  );
  return found.sort((a, b) => b.changed - a.changed).map(({ path }) => path);
}
