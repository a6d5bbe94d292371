import { readdir, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { insideOf } from "../system/inside.ts";
import { lockFolder } from "../system/lock.ts";
import { removeCheckpoint } from "./checkpoints.ts";
import { CHECKPOINTS, IMAGES, TENSORBOARD } from "./folder.ts";
import { RUN_LOCK } from "./repair.ts";

/** What a run writes, by the folders that it is in; the log goes last, so that what a kill leaves is still a run that can be removed. */
const OWN: readonly (readonly [folder: string, name: RegExp])[] = [
  [IMAGES, /^[\w-]+\.png$/],
  ["exam", /^[\w-]+\.png$/],
  [TENSORBOARD, /^events\.out\.tfevents\./],
  [
    "",
    /^(?:state(?:\.previous)?\.(?:safetensors|json)|votes\.json|asked(?:-validation)?\.json|exam\.json|report\.html)$/,
  ],
  ["", /^best\.json$/],
  ["", /^(?:config\.json|events\.jsonl)$/],
];

/**
 * Removes a run from the disk: what it wrote, and its folders as far as they are empty then. What others put beside it stays.
 * @returns whether the folder is gone
 * @throws UsageError when a process works there, or one of its folders is a link to elsewhere
 */
export async function removeRun(run: string): Promise<boolean> {
  const release = await lockFolder(run, RUN_LOCK);
  try {
    for (const folder of [CHECKPOINTS, ...OWN.map(([each]) => each)]) insideOf(run, folder);
    for (const name of await namesIn(join(run, CHECKPOINTS)))
      if (/^\d{6,}$/.test(name)) await removeCheckpoint(run, Number(name));
    for (const [folder, name] of OWN) {
      for (const each of await namesIn(join(run, folder)))
        if (name.test(each)) await rm(join(run, folder, each), { force: true });
      if (folder !== "") await removeEmpty(join(run, folder));
    }
    await removeEmpty(join(run, CHECKPOINTS));
  } finally {
    await release();
  }
  return removeEmpty(run);
}

function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}

async function removeEmpty(folder: string): Promise<boolean> {
  return rmdir(folder).then(
    () => true,
    () => false,
  );
}
