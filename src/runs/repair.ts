import { scaleOfLog } from "./scale.ts";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { UsageError } from "../system/errors.ts";
import { isLocked, LOCK_FILE, lockFolder } from "../system/lock.ts";
import { leftoversIn, removeLeftovers } from "../system/leftovers.ts";
import { insideOf, leadsOut } from "../system/inside.ts";
import { isRemovable, partialCheckpoints, removeCheckpoint, removeOwnFiles } from "./checkpoints.ts";
import { readRunConfig } from "./config.ts";
import { CHECKPOINTS, IMAGES, readEvents, TENSORBOARD } from "./folder.ts";
import { hasBest, writeBest } from "./best.ts";
import { choiceAt, keptSteps } from "../reward/choice.ts";
import { changedSince } from "./saved.ts";
import { isProgressFileCurrent, readProgress, writeProgressFile, type Progress } from "./state.ts";

/** The lock of a run's folder. `train --resume` on another machine takes it over: nobody can tell from there whether its holder lives. */
export const RUN_LOCK = { command: "rpo train", otherMachines: false } as const;

/**
 * Ends what a kill left half done in a run's folder: temporary files, a half written or half removed checkpoint, a dead lock, and, after
 * the last state of all, state.json and the checkpoints to remove. Every command that opens a run calls it first.
 *
 * Nothing is touched while another process works there, or where the folder cannot be written to: readers pass over what is half done.
 */
export async function repairRun(run: string): Promise<void> {
  await readRunConfig(run); // of a version that is known
  if (OWN_FOLDERS.some((folder) => leadsOut(run, folder))) return;
  if (!(await needsRepair(run)) || (await isLocked(run))) return;
  const release = await lockFolder(run, RUN_LOCK).catch(() => undefined);
  if (release === undefined) return;
  try {
    await endWhatWasBegun(run);
  } catch (error) {
    // a disk that is full, a folder of somebody else's
    if (!(error instanceof Error && ("code" in error || error.cause !== undefined))) throw error;
  } finally {
    await release();
  }
}

/** The same for whoever has the run's lock. @throws UsageError when one of the run's folders is a link to elsewhere */
export async function endWhatWasBegun(run: string): Promise<void> {
  for (const folder of OWN_FOLDERS) insideOf(run, folder);
  for (const folder of foldersOf(run)) await removeLeftovers(folder);
  for (const folder of await partialCheckpoints(run)) await removeOwnFiles(folder);
  const progress = await readProgress(run).catch(() => undefined);
  if (progress === undefined) return;
  if (!(await isProgressFileCurrent(run, progress))) await writeProgressFile(run, progress);
  if (progress.finished && !(await hasBest(run))) await chooseAgain(run);
  for (const step of await stepsToRemove(run, progress)) await removeCheckpoint(run, step);
}

/** Writes best.json for the run's own lambda. */
async function chooseAgain(run: string): Promise<void> {
  const { settings } = await readRunConfig(run);
  const events = await readEvents(run);
  const validations = events.filter((event) => event.type === "validation");
  const chosen = choiceAt(validations, settings.lambda, scaleOfLog(settings.rewardForm, events));
  if (chosen !== undefined) await writeBest(run, chosen);
}

async function needsRepair(run: string): Promise<boolean> {
  // the lock, and what is made to take it over
  if ((await readdir(run)).some((name) => name.replace(/^\./, "").startsWith(LOCK_FILE))) return true;
  for (const folder of foldersOf(run)) if ((await leftoversIn(folder)).length > 0) return true;
  if ((await partialCheckpoints(run)).length > 0) return true;
  const progress = await readProgress(run).catch(() => undefined);
  if (progress === undefined) return false;
  if (progress.finished && !(await hasBest(run))) return true;
  return !(await isProgressFileCurrent(run, progress)) || (await stepsToRemove(run, progress)).length > 0;
}

/** The checkpoints, of the saved state's validations, that full fine-tuning does not keep and that are there all the same. */
async function stepsToRemove(run: string, progress: Progress): Promise<number[]> {
  try {
    const { settings } = await readRunConfig(run);
    // nothing is removed on the word of a log or settings that may be damaged
    if (settings.adapter !== "full" || (await changedSince(run, progress)) !== undefined) return [];
    const events = await readEvents(run, progress.eventsLength);
    const validations = events.filter((event) => event.type === "validation");
    const kept = keptSteps(validations, settings, scaleOfLog(settings.rewardForm, events));
    const steps: number[] = [];
    for (const { step } of validations)
      if (step > 0 && !kept.has(step) && (await isRemovable(run, step))) steps.push(step);
    return steps;
  } catch (error) {
    if (error instanceof UsageError) return []; // whoever reads the run says what is damaged
    throw error;
  }
}

/** The folders of a run. In a run that comes from others, one of them may be a link to another run's. */
const OWN_FOLDERS = [IMAGES, CHECKPOINTS, TENSORBOARD];

const foldersOf = (run: string) => [run, join(run, IMAGES), join(run, CHECKPOINTS)];
