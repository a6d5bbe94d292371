import { lstat, readdir, rename, rmdir, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { openSafetensors } from "../tensor/safetensors.ts";
import { exists, makeFolder, syncFolder } from "../tensor/files.ts";
import { checkSums, SUMS_FILE, writeSums } from "../tensor/sums.ts";
import { checkpointPath, CHECKPOINTS } from "./run-folder.ts";

/** A run's checkpoints: how they come to be whole, and which of their files are the program's own. */

/** Writes a trained model's folder. */
export type CheckpointWriter = (folder: string) => Promise<void>;

/** The weights of a LoRA, and of a whole U-Net: a checkpoint has one of them. */
const WEIGHTS = ["adapter_model.safetensors", "diffusion_pytorch_model.safetensors"];

/** All that a checkpoint consists of. What else is in its folder is somebody's own, and stays. */
const OWN_FILES = [SUMS_FILE, ...WEIGHTS, "adapter_config.json", "config.json"];

/** What a checkpoint is called while it is written or removed. */
const PARTIAL = ".tmp";

/** Writes a step's checkpoint under another name, with the sums of its files, and puts it in place. */
export async function putCheckpoint(run: string, step: number, write: CheckpointWriter): Promise<void> {
  const folder = join(run, checkpointPath(step));
  const partial = `${folder}${PARTIAL}`;
  await removeOwnFiles(partial);
  await makeFolder(partial);
  await write(partial);
  await writeSums(partial);
  if (await exists(folder)) {
    // A kill, and now it is written again with the same bytes: file by file, for others may have put theirs beside.
    for (const name of await readdir(partial)) await rename(join(partial, name), join(folder, name));
    await rmdir(partial);
  } else await rename(partial, folder);
  await syncFolder(dirname(folder));
}

/** Whether a step's checkpoint is there with weights that are as long as they should be. What is in them is {@link checkCheckpoint}'s. */
export async function hasCheckpoint(run: string, step: number): Promise<boolean> {
  for (const name of WEIGHTS) {
    const path = join(run, checkpointPath(step), name);
    if (await exists(path))
      return openSafetensors(path).then(
        () => true,
        () => false,
      );
  }
  return false;
}

/** The folder of the last checkpoint that is there; undefined where there is none. */
export async function newestCheckpoint(run: string): Promise<string | undefined> {
  const names = await readdir(join(run, CHECKPOINTS)).catch((): string[] => []);
  const steps = names.filter((name) => /^\d{6,}$/.test(name)).map(Number);
  for (const step of steps.sort((a, b) => b - a))
    if (await hasCheckpoint(run, step)) return join(run, checkpointPath(step));
  return undefined;
}

/** @throws ModelError naming the file of a checkpoint's folder that is not what was written */
export async function checkCheckpoint(folder: string): Promise<void> {
  await checkSums(folder);
}

/**
 * Removes a step's checkpoint, unless others have put files of theirs into its folder. It loses its name first, so that what a kill leaves
 * of it is not taken for a checkpoint.
 */
export async function removeCheckpoint(run: string, step: number): Promise<void> {
  const folder = join(run, checkpointPath(step));
  if ((await lstat(folder).catch(() => undefined))?.isDirectory() !== true) return;
  const names = await readdir(folder);
  if (names.length === 0 || !names.every((name) => OWN_FILES.includes(name))) return;
  await removeOwnFiles(`${folder}${PARTIAL}`);
  await rename(folder, `${folder}${PARTIAL}`);
  await removeOwnFiles(`${folder}${PARTIAL}`);
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
  const isOwn = (name: string) =>
    OWN_FILES.includes(name) || OWN_FILES.some((own) => name.startsWith(`.${own}.`) && name.endsWith(".tmp"));
  for (const name of names.filter(isOwn)) await unlink(join(folder, name));
  if (names.every(isOwn)) await rmdir(folder);
}
