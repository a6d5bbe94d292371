import { realpath } from "node:fs/promises";
import { join } from "node:path";
import { isCrossAttention } from "../../checkpoints/cross-attention.ts";
import { CROSS_ATTENTION_FILE } from "../../checkpoints/cross-attention-names.ts";
import { otherWordFilesIn, wordFilesIn } from "../../checkpoints/embeddings/word-files.ts";
import { fingerprint } from "../../checkpoints/hashes.ts";
import { configHashes } from "../../runs/config.ts";
import { CHECKPOINTS } from "../../runs/folder.ts";
import { UsageError } from "../../system/errors.ts";
import { exists } from "../../system/files.ts";
import { say, setting } from "../../system/message.ts";
import { findCheckpoint, type SourceRun } from "../source.ts";
import { mergedFrom } from "./origin.ts";

/** A training of Custom Diffusion that is to be merged: what can be said of it without its model. */
export interface MergedTraining {
  /** As it was given. */
  readonly folder: string;
  readonly checkpoint: string;
  /** What it is a checkpoint of, where that is known. */
  readonly run: SourceRun | undefined;
}

/**
 * @param folder a run, or a checkpoint of Custom Diffusion
 * @throws UsageError for what is no single subject of Custom Diffusion
 */
export async function findTraining(folder: string): Promise<MergedTraining> {
  if (!(await exists(folder)))
    throw new UsageError(`${folder}: no such folder (expected a run of Custom Diffusion, or a checkpoint of it)`);
  const { checkpoint, run } = await findCheckpoint(folder);
  if (checkpoint === undefined)
    throw new UsageError(
      `${folder}: its best is the starting model, which has nothing to merge; give one of the folders in ${join(run?.folder ?? folder, CHECKPOINTS)}`,
    );
  if (!(await isCrossAttention(checkpoint)))
    throw new UsageError(
      say`${folder}: expected what ${setting("method", "custom")} trains: keys and values of the attention to texts, and a word`,
    );
  if ((await wordFilesIn(checkpoint)).length === 0) {
    const several = await otherWordFilesIn(checkpoint);
    throw new UsageError(
      several.length === 0
        ? `${checkpoint}: no word in it (expected learned_embeds.safetensors)`
        : await severalAlready(folder, checkpoint),
    );
  }
  return { folder, checkpoint, run };
}

async function severalAlready(folder: string, checkpoint: string): Promise<string> {
  const from = await mergedFrom(checkpoint);
  return from === undefined
    ? `${folder}: holds several subjects already; give the training of each subject instead: any number of them is merged at once`
    : `${folder}: a merge already, of ${from}; give those trainings instead, with the others: any number of them is merged at once`;
}

/** @throws UsageError for the same training twice, which is one subject */
export async function checkDifferent(trainings: readonly MergedTraining[]): Promise<void> {
  const before = new Map<string, string>();
  for (const training of trainings) {
    const marks = await marksOf(training);
    const same = marks.map((mark) => before.get(mark)).find((folder) => folder !== undefined);
    if (same !== undefined)
      throw new UsageError(
        `${training.folder} is of the same training as ${same}, or a copy: one subject; give a training of each subject`,
      );
    for (const mark of marks) before.set(mark, training.folder);
  }
}

/** What two folders have in common only if they are of the same training: the place, the trained weights, the settings with the photos. */
async function marksOf({ checkpoint, run }: MergedTraining): Promise<string[]> {
  const marks = [await realpath(run?.folder ?? checkpoint), await fingerprint(join(checkpoint, CROSS_ATTENTION_FILE))];
  if (run === undefined) return marks;
  const content = Object.values(run.hashes).sort().join(" ");
  return [...marks, ...(await configHashes(run.folder)).map((hash) => `${hash} ${content}`)];
}
