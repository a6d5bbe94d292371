import { lstat, readdir, rename, rmdir, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { openSafetensors } from "../tensor/safetensors.ts";
import { exists, makeFolder, syncFolder } from "../system/files.ts";
import { leadsOut } from "../system/inside.ts";
import { writeSums } from "../system/sums.ts";
import { TRAINED_FILES, TRAINED_WEIGHTS } from "../checkpoints/trained-files.ts";
import { JUDGED_FILE } from "./judged.ts";
import { checkpointPath, CHECKPOINTS } from "./folder.ts";
import { judgedProblem, readJudged } from "./judged.ts";

/** A run's checkpoints: how they come to be whole, and which of their files are the program's own. */

/** Writes a trained model's folder. */
export type CheckpointWriter = (folder: string) => Promise<void>;

/** What systems put beside files that people look at: nobody's own. */
const CLUTTER = [".DS_Store", "Thumbs.db", "desktop.ini"];

/** What a checkpoint's folder has of this program. */
const OURS: readonly string[] = [...TRAINED_FILES, JUDGED_FILE];

/** Whether a file in a checkpoint's folder may go with it. What else is in there is somebody's own, and stays. */
function isOurs(name: string): boolean {
  const isTemporary = OURS.some((own) => name.startsWith(`.${own}.`) && name.endsWith(".tmp"));
  return OURS.includes(name) || CLUTTER.includes(name) || isTemporary;
}

/** What a checkpoint is called while it is written or removed. */
const PARTIAL = ".tmp";

/** Writes a step's checkpoint under another name, with the sums of its files, and puts it in place. */
export async function putCheckpoint(run: string, step: number, write: CheckpointWriter): Promise<void> {
  const folder = join(run, checkpointPath(step));
  const partial = `${folder}${PARTIAL}`;
  await removeOwnFiles(partial);
  await makeFolder(partial);
  await write(partial);
  await writeSums(partial, TRAINED_FILES);
  if (await exists(folder)) {
    // The run was killed after this checkpoint and writes the same bytes again: file by file, as others may have put theirs beside.
    for (const name of (await readdir(partial)).filter(isOurs)) await rename(join(partial, name), join(folder, name));
    await removeOwnFiles(partial);
  } else await rename(partial, folder);
  await syncFolder(dirname(folder));
}

/**
 * Whether a step's checkpoint is there with weights that are as long as they should be; what is in them, checkTrained finds. Of a run that
 * judges, whether the file is where it was, and what it was.
 */
export async function hasCheckpoint(run: string, step: number): Promise<boolean> {
  const folder = join(run, checkpointPath(step));
  if (leadsOut(run, checkpointPath(step))) return false;
  const judged = await readJudged(folder).catch(() => undefined);
  if (judged !== undefined) return (await judgedProblem(judged)) === undefined;
  for (const [weights, settings] of Object.entries(TRAINED_WEIGHTS)) {
    if (!(await exists(join(folder, weights)))) continue;
    const isWhole = await openSafetensors(join(folder, weights)).then(
      () => true,
      () => false,
    );
    const areThere = await Promise.all(settings.map((name) => exists(join(folder, name))));
    return isWhole && (areThere.length === 0 || areThere.includes(true));
  }
  return false;
}

/** The steps that have a checkpoint's folder, whole or not. */
export async function checkpointSteps(run: string): Promise<number[]> {
  const names = await readdir(join(run, CHECKPOINTS)).catch((): string[] => []);
  return names.filter((name) => /^\d{6,}$/.test(name)).map(Number);
}

/** The folder of the last checkpoint that is there; undefined where there is none. */
export async function newestCheckpoint(run: string): Promise<string | undefined> {
  for (const step of (await checkpointSteps(run)).sort((a, b) => b - a))
    if (await hasCheckpoint(run, step)) return join(run, checkpointPath(step));
  return undefined;
}

/** Whether a step's checkpoint is there, in a folder of its own that holds nothing of others. */
export async function isRemovable(run: string, step: number): Promise<boolean> {
  const folder = join(run, checkpointPath(step));
  // a link leads to what is somebody else's
  if ((await lstat(folder).catch(() => undefined))?.isDirectory() !== true) return false;
  const names = await readdir(folder);
  return names.length > 0 && names.every(isOurs);
}

/**
 * Removes a step's checkpoint, unless others have put files of theirs into its folder. It loses its name first, so that what a kill leaves
 * of it is not taken for a checkpoint.
 */
export async function removeCheckpoint(run: string, step: number): Promise<void> {
  const partial = join(run, `${checkpointPath(step)}${PARTIAL}`);
  await removeOwnFiles(partial);
  if (!(await isRemovable(run, step)) || (await exists(partial))) return;
  await rename(join(run, checkpointPath(step)), partial);
  await removeOwnFiles(partial);
}

/** The folders that a kill left half written or half removed. */
export async function partialCheckpoints(run: string): Promise<string[]> {
  const names = await readdir(join(run, CHECKPOINTS)).catch((): string[] => []);
  return names.filter((name) => /^\d{6,}\.tmp$/.test(name)).map((name) => join(run, CHECKPOINTS, name));
}

/** Removes the program's files from a folder, temporary ones too, and the folder when it is empty then. */
export async function removeOwnFiles(folder: string): Promise<void> {
  // a link leads to what is somebody else's
  if ((await lstat(folder).catch(() => undefined))?.isDirectory() !== true) return;
  const names = await readdir(folder);
  for (const name of names.filter(isOurs)) await unlink(join(folder, name));
  if (names.every(isOurs)) await rmdir(folder);
}
